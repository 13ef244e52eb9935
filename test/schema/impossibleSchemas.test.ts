import { afterEach, describe, expect, it } from 'vitest';
import { prepareStorage } from '../../src/process/context.js';
import { createLogger } from '../../src/process/log.js';
import { type CustomerDatabase, createCustomerDatabase, runMigrate } from '../support/customerDatabase.js';
import { catalogDifference, catalogSnapshot } from './existing/catalogLines.js';
import { IMPOSSIBLE_CASES } from './existing/impossible.js';
import type { ImpossibleCase } from './existing/impossibleBase.js';
import { dumpRows } from './existing/rowDump.js';

/** What a person would copy out of the sentence: from the first word of SQL to the last semicolon. */
function statementIn(sentence: string): string {
  const statement = /(?:: |\b(?:run|with|example) )((?:ALTER|GRANT|CREATE|DELETE|DROP) .*;)/.exec(
    sentence,
  )?.[1];
  if (statement === undefined) throw new Error(`no statement in: ${sentence}`);
  return statement;
}

describe('a database that cannot be worked on', () => {
  let database: CustomerDatabase;
  afterEach(() => database.drop());

  /** Starts, and answers the one line of stderr. */
  const refusal = async (): Promise<string> => {
    const { code, stderr } = await runMigrate(database);
    expect({ code, lines: stderr.trim().split('\n').length }, stderr).toEqual({ code: 1, lines: 1 });
    expect(stderr).not.toMatch(/error it does not know/);
    return stderr.trim();
  };

  it.each(IMPOSSIBLE_CASES.map((one): [string, ImpossibleCase] => [one.name, one]))(
    '%s',
    async (_, impossible) => {
      database = await createCustomerDatabase({ sql: impossible.sql }, impossible.asRole);
      const [catalog, rows] = [await catalogSnapshot(database.admin), await dumpRows(database.admin)];

      const sentence = await refusal();
      for (const part of impossible.says) {
        if (part instanceof RegExp) expect(sentence).toMatch(part);
        else expect(sentence).toContain(part.replaceAll('{{role}}', database.role));
      }
      // A start that fails leaves everything as it was.
      expect(catalogDifference(catalog, await catalogSnapshot(database.admin))).toEqual({
        added: [],
        lost: [],
      });
      expect(await dumpRows(database.admin, rows)).toEqual(rows);

      const statement = statementIn(sentence);
      if (!impossible.mends) return;
      await database.admin.query(statement);
      // Here and not in a process of its own, which takes seconds more.
      await prepareStorage(database.url, true, createLogger('test', 'silent'));
    },
  );
});
