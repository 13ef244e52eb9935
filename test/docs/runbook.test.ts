import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { QueryResult } from 'pg';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { banner } from '../../src/local/banner.js';
import { describeOnBothBackends, describeOnce } from '../support/backends.js';
import { API_KEY } from '../support/deployment.js';
import { type ProductProcess, startApiProcess, startWorkerProcess } from '../support/processes.js';
import { startOwnRedis, type TestRedis } from '../support/redisServer.js';
import { createTestDatabase, type TestDatabase } from '../support/testDatabase.js';
import { waitFor } from '../support/waitFor.js';
import {
  type Block,
  missingLine,
  noteIds,
  onDeployment,
  onlyReads,
  openTerminal,
  type Section,
  type ShownIds,
  sectionsOf,
  type Terminal,
  withOwnIds,
} from './commandBlocks.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const SQL_REFERENCE = 'docs/sql.md';
const DOCUMENTS = ['docs/PILOT_RUNBOOK.md', 'docs/api.md', SQL_REFERENCE];
const SECTIONS = inReadingOrder();
/** `console` is what another test runs (the README's `npm start`), `json` an answer that is only shown. */
const LANGUAGES = ['bash', 'sql', 'console', 'json'];
const OUR_TENANTS = [
  'DEMO_TENANT',
  'PRACTICE_TENANT',
  'LIVE_TENANT',
  'REPLAY_TENANT',
  'REGISTRY_TENANT',
  'HAND_TENANT',
];

/** What waits to be written of what was asked for, and not of what fills the past. */
const UNWRITTEN = `SELECT FROM ami_publish_batches WHERE state = 'pending' AND NOT is_background`;
/** The longest that something takes to show: a backfill of half a day. */
const LOOK_AGAIN_MS = 120_000;

// biome-ignore lint/suspicious/noExplicitAny: the JSON of answers
type Answer = any;

/**
 * Every command of the runbook, of docs/api.md and of docs/sql.md in the order in which they are read, as it stands,
 * against real processes; and the figures they promise.
 */
describeOnBothBackends('the pilot runbook', (backend) => {
  let folder: string;
  let database: TestDatabase;
  let redis: TestRedis | undefined;
  let terminal: Terminal;
  let url: string;
  const processes: ProductProcess[] = [];
  const ids: ShownIds = new Map();

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'gridlens-runbook-'));
    database = await createTestDatabase();
    // A Redis of its own: two deployments on one Redis would share one queue.
    redis = backend === 'redis' ? await startOwnRedis() : undefined;
    const redisUrl = redis?.url ?? inject('redisUrl');
    const env = {
      DATABASE_URL: database.url,
      ...(backend === 'redis' && redisUrl ? { REDIS_URL: redisUrl } : {}),
    };
    const api = await startApiProcess(env);
    processes.push(api);
    processes.push(await startWorkerProcess(env));
    url = api.url;
    await writeFile(join(folder, 'api-key'), API_KEY);
    await writeFile(join(folder, 'database-url'), `${database.url}\n`);
    // What `npm start` would have found on port 5000 and in .gridlens.
    const commands = { PORT: new URL(url).port, GRIDLENS_DATA_DIR: folder, GRIDLENS_API_KEY: API_KEY };
    terminal = openTerminal(folder, ROOT, { ...env, ...commands });
  });
  afterAll(async () => {
    await terminal?.close();
    await Promise.all(processes.map((running) => running.kill('SIGTERM')));
    await redis?.stop();
    await database?.drop();
    await rm(folder, { recursive: true, force: true });
  });

  /** What the section's blocks printed. */
  const runBlocks = async (document: string, blocks: readonly Block[]): Promise<string> => {
    let all = '';
    for (const block of blocks) {
      const where = `${document}:${block.line}`;
      expect(LANGUAGES, where).toContain(block.language);
      if (block.language === 'json') JSON.parse(block.text);
      if (block.language !== 'bash' && block.language !== 'sql') continue;
      const said = block.prints ?? '';
      const printed = await printedBy(block);
      expect(printed.includes('"ok":false'), `${where} prints ${printed}`).toBe(said.includes('"ok":false'));
      const missing = missingLine(said, printed);
      expect(missing, `${where} does not print this line, it prints\n${printed}`).toBeUndefined();
      noteIds(ids, said, printed);
      all += printed;
    }
    return all;
  };
  /** As people do who look once it is written, and then again until it shows: what only reads is repeated. */
  const printedBy = async (block: Block): Promise<string> => {
    const run = block.language === 'sql' ? runSql : runBash;
    if (!onlyReads(block)) return run(block.text);
    await waitFor('what was published to be written', async () => (await rows(UNWRITTEN)).length === 0);
    const until = performance.now() + LOOK_AGAIN_MS;
    for (;;) {
      const printed = await run(block.text);
      if (missingLine(block.prints ?? '', printed) === undefined || performance.now() > until) return printed;
      await sleep(500);
    }
  };
  const runBash = (command: string): Promise<string> =>
    terminal.run(
      onDeployment(withOwnIds(command, ids), { port: Number(new URL(url).port), dataDir: folder }),
    );
  /** Printed as psql does, but for the padding. */
  const runSql = async (text: string): Promise<string> => {
    const types = { getTypeParser: () => (value: string | Buffer) => String(value) };
    const answers = await database.pool.query({ text, types });
    return ([answers].flat() as QueryResult[]).map(asPsql).join('');
  };

  const quickcheck = async (tenantId = 'DEMO_TENANT'): Promise<Answer> => {
    await waitFor('what was published to be written', async () => (await rows(UNWRITTEN)).length === 0);
    return (await fetch(`${url}/api/ami/kpi/quickcheck?tenantId=${tenantId}`)).json();
  };
  const rows = async (sql: string): Promise<Answer[]> => (await database.pool.query(sql)).rows;
  const feeder = (answer: Answer, id: string): Answer =>
    answer.latestFeeders.find(({ feederId }: Answer) => feederId === id);
  const allBut = (answer: Answer, ...ids: string[]): Answer[] =>
    answer.latestFeeders.filter(({ feederId }: Answer) => !ids.includes(feederId));

  /** Quickcheck as it was at the end of a step. */
  const after: Record<string, Answer> = {};

  /** What a section must have brought about, by its heading; called with what it printed. */
  const CHECKS: Record<string, (printed: string) => Promise<void>> = {
    'Three: refresh': async () => {
      const answer = await quickcheck('LIVE_TENANT');
      expect(feeder(answer, 'FEEDER_7').lossPct).toBeGreaterThan(60);
      expect(allBut(answer, 'FEEDER_7').filter(({ lossPct }) => lossPct > 15)).toEqual([]);
    },

    'Step 1: start': async () => {
      expect(await quickcheck()).toMatchObject({ overview: [], activeEvents: [], latestFeeders: [] });
    },

    'Step 2: the baseline': async () => {
      const answer = await quickcheck();
      after.baseline = answer;
      expect(answer.latestFeeders).toHaveLength(25);
      for (const { lossPct, reportingMeters } of answer.latestFeeders) {
        expect(lossPct).toBeGreaterThan(1);
        expect(lossPct).toBeLessThan(13);
        expect(reportingMeters).toBe(1_000);
      }
      expect(answer.reportingSummary).toMatchObject({
        reportingMeters: 25_000,
        reportingPct: 100,
        complete: true,
      });
      expect(answer.suspiciousMeters).toEqual([]);
      const sql = `SELECT count(*)::integer AS reads FROM meter_reads_electric WHERE tenant_id = 'DEMO_TENANT'`;
      expect(await rows(sql)).toEqual([{ reads: 25_000 }]);
    },

    'Step 3: theft on FEEDER_7': async (printed) => {
      const answer = await quickcheck();
      after.theft = answer;
      expect(feeder(answer, 'FEEDER_7').lossPct).toBeGreaterThan(60);
      expect(allBut(answer, 'FEEDER_7')).toEqual(allBut(after.baseline, 'FEEDER_7'));
      // The only one of the worst whose loss is out of the usual.
      expect(printed.match(/^FEEDER_\d+ \| [\d.]+ \| 1000$/gm)?.[0]).toContain('FEEDER_7 | ');
      expect(printed).toContain(`FEEDER_7 | ${feeder(answer, 'FEEDER_7').lossPct}`);
      expect(answer.suspiciousMeters).toHaveLength(10);
      for (const { feederId, reason } of answer.suspiciousMeters) {
        expect(feederId).toBe('FEEDER_7');
        expect(reason).toMatch(/^Registered [\d.]+ of [\d.]+ kWh delivered .* % is missing/);
      }
    },

    'Step 4: a few thieves among many': async () => {
      const answer = await quickcheck();
      after.fraction = answer;
      expect(allBut(answer, 'FEEDER_15')).toEqual(allBut(after.theft, 'FEEDER_15'));
      expect(feeder(answer, 'FEEDER_15').lossPct).toBeGreaterThan(
        feeder(after.theft, 'FEEDER_15').lossPct + 2,
      );
      const suspicious = await rows(
        `SELECT feeder_id AS feeder, count(*)::integer AS meters FROM v_kpi_suspicious_meters_daily
         WHERE tenant_id = 'DEMO_TENANT' GROUP BY 1 ORDER BY 2 DESC`,
      );
      expect(suspicious.map((row) => row.feeder)).toEqual(['FEEDER_7', 'FEEDER_15']);
      // All but the few that used less than could be missed.
      expect(suspicious[0].meters).toBeGreaterThan(900);
      expect(suspicious[1].meters).toBeGreaterThan(90);
      expect(suspicious[1].meters).toBeLessThanOrEqual(100);
    },

    'Step 5: voltage sag on FEEDER_12': async () => {
      const answer = await quickcheck();
      const sagged = feeder(answer, 'FEEDER_12');
      expect(sagged.minVoltage).toBeGreaterThanOrEqual(90);
      expect(sagged.minVoltage).toBeLessThan(114);
      expect(sagged).toMatchObject({
        lowVoltageMeters: 1_000,
        lossPct: feeder(after.baseline, 'FEEDER_12').lossPct,
      });
      expect(allBut(answer, 'FEEDER_12')).toEqual(allBut(after.fraction, 'FEEDER_12'));
      expect(answer.fieldOps[0]).toMatchObject({ feederId: 'FEEDER_12', priority: 1 });
    },

    'Step 6: comms outage on FEEDER_3, and the next interval': async () => {
      const answer = await quickcheck();
      const silenced = feeder(answer, 'FEEDER_3');
      expect(silenced.reportingPct).toBeGreaterThan(20);
      expect(silenced.reportingPct).toBeLessThan(40);
      expect(silenced.lossPct).toBeGreaterThan(1);
      expect(silenced.lossPct).toBeLessThan(13);
      const silent = 1_000 - silenced.reportingMeters;
      expect(answer.staleMetersBuckets).toEqual({
        current: 25_000 - silent,
        staleOver15m: silent,
        staleOver1h: 0,
        staleOver24h: 0,
      });
      const others = allBut(answer, 'FEEDER_3');
      expect(others.filter(({ reportingPct }) => reportingPct === 100)).toHaveLength(24);
      expect(feeder(answer, 'FEEDER_7').lossPct).toBeGreaterThan(60);
      expect(feeder(answer, 'FEEDER_12').minVoltage).toBeLessThan(114);
      // The next one, or the one after that where a quarter hour has begun since.
      const { intervalStart } = answer.reportingSummary;
      expect(Date.parse(intervalStart)).toBeGreaterThanOrEqual(
        Date.parse(after.baseline.reportingSummary.intervalEnd),
      );
    },

    'Step 7: end it': async () => {
      const stopped = await rows(
        `SELECT count(*)::integer AS events, count(stopped_at)::integer AS stopped, bool_or(is_active) AS active
         FROM ami_events WHERE tenant_id = 'DEMO_TENANT'`,
      );
      expect(stopped).toEqual([{ events: 4, stopped: 4, active: false }]);
    },

    'SQL: what has arrived': async (printed) => {
      // The duplicates and the reads off the quarter hour.
      expect(printed).toContain('\n0 | 0\n(1 row)\n');
    },

    'SQL: rows of your own': async () => {
      for (const view of ['overview', 'feeder_loss', 'suspicious_meters', 'fieldops']) {
        const name = `v_kpi_${view === 'overview' || view === 'feeder_loss' ? 'electric_' : ''}${view}_daily`;
        expect(await rows(`SELECT FROM ${name} WHERE tenant_id = 'HAND_TENANT'`), name).toHaveLength(1);
      }
    },

    'Clean up': async () => {
      const tables = await rows(
        `SELECT table_name AS name FROM information_schema.columns
         WHERE table_schema = 'public' AND column_name = 'tenant_id' ORDER BY 1`,
      );
      expect(tables.map(({ name }) => name)).toEqual(
        expect.arrayContaining([
          'meter_reads_electric',
          'ami_events',
          'ami_publishes',
          'v_kpi_fieldops_daily',
        ]),
      );
      for (const { name } of tables) {
        // Meters without reads are forgotten by the worker's next upkeep.
        await waitFor(`${name} to be empty`, async () => {
          const left = await database.pool.query(`SELECT FROM ${name} WHERE tenant_id = ANY ($1)`, [
            OUR_TENANTS,
          ]);
          return left.rowCount === 0;
        });
      }
    },
  };

  for (const { document, title, blocks } of SECTIONS) {
    it(title, async () => {
      const printed = await runBlocks(document, blocks);
      await CHECKS[title]?.(printed);
    });
  }

  it('lists the columns of the tables and views that it documents, no more and no fewer', async () => {
    const documented = documentedColumns(readFileSync(join(ROOT, SQL_REFERENCE), 'utf8'));
    expect(Object.keys(documented).length).toBeGreaterThan(10);
    const columns = await rows(
      `SELECT table_name AS name, array_agg(column_name::text ORDER BY column_name) AS columns
       FROM information_schema.columns WHERE table_schema = 'public' GROUP BY 1`,
    );
    const actual = Object.fromEntries(columns.map(({ name, columns: found }) => [name, found]));
    for (const [name, listed] of Object.entries(documented))
      expect(listed, name).toEqual(actual[name]?.sort());
  });

  it('has every section whose figures are checked', () => {
    expect(SECTIONS.map(({ title }) => title)).toEqual(expect.arrayContaining(Object.keys(CHECKS)));
  });
});

describeOnce('the runbook', () => {
  it('shows the banner that npm start prints', () => {
    const shown = SECTIONS.flatMap(({ blocks }) => blocks).find(({ language }) => language === 'console');
    const dataDir = '/home/you/gridlens/.gridlens';
    const facts = { host: '127.0.0.1', port: 5000, databaseUrl: 'postgres://127.0.0.1/gridlens' };
    const printed = banner({
      ...facts,
      dataDir,
      postgresFolder: `${dataDir}/postgres`,
      generatedApiKey: 'glk_x',
    });
    expect(shown?.text).toContain('$ npm ci && npm start\n');
    expect(missingLine(shown?.text.replace(/^\$.*$/m, '') ?? '?', printed)).toBeUndefined();
  });

  it.each(DOCUMENTS)('has only plain lines that work when they are copied alone: %s', (document) => {
    const blocks = sectionsOf(readFileSync(join(ROOT, document), 'utf8')).flatMap(
      (section) => section.blocks,
    );
    const lines = blocks
      .filter(({ language }) => language === 'bash')
      .flatMap(({ text }) =>
        text
          .replace(/^(cat > .*)<<'CSV'\n[\s\S]*?^CSV$/gm, '$1')
          .trim()
          .split('\n'),
      );
    expect(lines.length).toBeGreaterThan(1);
    for (const line of lines) {
      expect(line).toMatch(/^(curl -s |npm run |cat )/);
      // Nothing that an earlier line must have set, and no program within the line.
      const within = line
        .replaceAll('$(cat .gridlens/api-key)', '')
        .replace(/\$\(TZ=UTC(?:-?\d+)? date \+[\w%:]+\)/g, '');
      expect(within).not.toMatch(/[$`|;\\]/);
    }
  });

  it('puts ids of its own into a command where the document shows others', () => {
    const [shownId, other] = ['0b9e8620-fd24-4253-be30-92f71d7e81dc', '2d0bbbf5-49be-4f27-93d5-99f56ae5791b'];
    const ids: ShownIds = new Map();
    noteIds(ids, `{"id":"${shownId}",…}`, `{"id":"${other}","publishId":"${shownId}"}`);
    expect(withOwnIds(`curl ${shownId} ${other}`, ids)).toBe(`curl ${other} ${other}`);
  });

  it('cannot pass with a command that fails, in the middle of a block too', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'gridlens-runbook-'));
    const terminal = openTerminal(folder, ROOT);
    expect(await terminal.run('WORD=kept')).toBe('');
    expect(await terminal.run('echo "$WORD" | cat')).toBe('kept\n');
    await expect(terminal.run('echo before\nfalse | cat\necho after')).rejects.toThrow(/before\n$/);
    await expect(terminal.run('echo again')).rejects.toThrow('the terminal ended');
    await terminal.close();
    await rm(folder, { recursive: true });
  });

  it('cannot pass with a line that is not printed, or a number where 0 is promised', () => {
    expect(missingLine('FEEDER_7 80.6 %\n…\nlast', 'FEEDER_7 79 %\nmore\nlast')).toBeUndefined();
    expect(missingLine('FEEDER_7 80.6 %', 'FEEDER_8 80.6 %')).toBe('FEEDER_7 <n> %');
    expect(missingLine('{ lost: 0, done: 5 }', '{ lost: 1, done: 5 }')).toBe('{ lost: 0, done: <n> }');
    expect(missingLine('{ lost: 0, … }', '{ lost: 0, done: 0 }')).toBeUndefined();
  });
});

/** The SQL chapters come after the demo that they look at, and before the cleaning up. */
function inReadingOrder(): (Section & { document: string })[] {
  const of = (document: string) =>
    sectionsOf(readFileSync(join(ROOT, document), 'utf8')).map((section) => ({ ...section, document }));
  const runbook = of('docs/PILOT_RUNBOOK.md');
  const at = (title: string): number => runbook.findIndex((section) => section.title === title);
  const [demo, trouble] = [at('Step 1: start'), at('When something is wrong')];
  return [
    ...runbook.slice(0, demo),
    ...of('docs/api.md'),
    ...runbook.slice(demo, trouble),
    ...of(SQL_REFERENCE),
    ...runbook.slice(trouble),
  ];
}

/** Of each table of a document whose first head names a relation: the columns that its first cells name, sorted. */
function documentedColumns(markdown: string): Record<string, string[]> {
  const relations = markdown.matchAll(/^\| `(?<name>\w+)` \|.*\|\n\|---.*\n(?<body>(?:\|.*\n)+)/gm);
  const names = (body: string): string[] =>
    body
      .split('\n')
      .flatMap((line) => [...(line.split('|')[1] ?? '').matchAll(/`(\w+)`/g)].map((match) => match[1] ?? ''));
  return Object.fromEntries(
    [...relations].map(({ groups }) => [groups?.name ?? '', names(groups?.body ?? '').sort()]),
  );
}

function asPsql({ fields, rows, command, rowCount }: QueryResult): string {
  if (fields.length === 0) {
    const count = rowCount === null ? '' : ` ${command === 'INSERT' ? '0 ' : ''}${rowCount}`;
    return `${command}${count}\n`;
  }
  const lines = rows.map((row) => fields.map(({ name }) => shown(row[name])).join(' | '));
  const header = fields.map(({ name }) => name).join(' | ');
  return `${[header, ...lines].join('\n')}\n(${rows.length} ${rows.length === 1 ? 'row' : 'rows'})\n\n`;
}

const shown = (value: string | null): string => value ?? '';
