/**
 * Room: commands. Promises: `npm run migrate`, `fleet`, `inspect`, `import`, `export`, `backfill`, `vee`, `score`, `scenario`, `dataset`, `archive`,
 * `doctor` and `demo`. A command says what it did, ends with a code that tells whether it did, and says what is wrong in a sentence.
 */

import { type ParseArgsConfig, parseArgs } from 'node:util';
import { StartupError } from '../contracts/errors.js';
import { tenantId } from '../contracts/fields.js';
import type { Database } from '../db/db.js';
import type { Config } from '../process/config.js';
import type { SchemaMapping } from '../schema/mapping.js';
import { preparedMapping } from '../schema/prepareSchema.js';

/** The words of one command: everything that is wrong with them is said with its usage. */
export function commandLine(usage: string) {
  /** @throws StartupError the sentence, and below it how the command is called. */
  const wrong = (sentence: string): never => {
    throw new StartupError(`${sentence}\n\n${usage}`);
  };
  return {
    wrong,

    /** The options and words of `args`. */
    parse<T extends ParseArgsConfig>(config: T): ReturnType<typeof parseArgs<T>> {
      try {
        return parseArgs(config);
      } catch (error) {
        return wrong((error as Error).message);
      }
    },

    /** The value of --tenant. */
    tenant(value: string): string {
      const result = tenantId.safeParse(value);
      return result.success ? result.data : wrong(`--tenant ${result.error.issues[0]?.message}.`);
    },
  };
}

/** A whole number in decimal digits; NaN for anything else, since whoever knows the range says so. */
export function wholeNumber(value: string): number {
  return /^\d{1,9}$/.test(value) ? Number(value) : Number.NaN;
}

/** For a command that takes so few words that one sentence says all: that sentence, if `parse` throws. */
export function orSay<T>(sentence: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw new StartupError(sentence, { cause: error });
  }
}

/** Whether only how a command is called is asked for; that goes before whatever else is wrong with its words. */
export const asksForHelp = (args: readonly string[]): boolean =>
  args.includes('--help') || args.includes('-h');

/**
 * The mapping of a database that a start or `npm run migrate` has prepared for this version.
 *
 * @throws StartupError when none has.
 */
export async function requirePrepared(database: Database, config: Config): Promise<SchemaMapping> {
  const schema = await preparedMapping(database, config);
  if (schema) return schema;
  throw new StartupError(
    'This database has not been prepared for this version: run npm run migrate first (npm run migrate -- --plan says what it changes), or npm start.',
  );
}

/** Waits until the text is written. On macOS a pipe is written to later, and a process that left at once would lose it. */
export function say(stream: NodeJS.WriteStream, text: string): Promise<unknown> {
  return new Promise((resolve) => stream.write(text, resolve));
}

/** What a command says to a program: one JSON document. */
export function json(answer: object): string {
  return `${JSON.stringify(answer, null, 2)}\n`;
}

/** Ends the command with its report on stdout. */
export async function leaveWith(report: string, code = 0): Promise<never> {
  await say(process.stdout, report);
  process.exit(code);
}

/** npm changes to the package's folder, but relative paths are meant from where npm was called. */
export function startedFrom(...scripts: readonly string[]): string {
  const { npm_lifecycle_event: script = '', INIT_CWD: folder } = process.env;
  // A script of another name that calls this one may mean its own folder.
  return scripts.includes(script) && folder ? folder : process.cwd();
}
