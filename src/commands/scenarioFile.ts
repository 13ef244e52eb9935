import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { StartupError } from '../contracts/errors.js';
import { readScenario } from '../scenarios/readScenario.js';
import type { Scenario } from '../scenarios/scenario.js';

/** npm changes to the package's folder, but relative paths are meant from where npm was called. */
export function fromCaller(path: string): string {
  const { npm_lifecycle_event: script, INIT_CWD: folder } = process.env;
  const isOurs = script === 'scenario' || script === 'dataset' || script === 'score';
  return resolve(isOurs && folder ? folder : process.cwd(), path);
}

/** @throws StartupError one sentence: why the file cannot be read, or what is wrong in it on which line. */
export async function scenarioOf(path: string): Promise<Scenario> {
  const text = await readFile(fromCaller(path), 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new StartupError(`${path} cannot be read: ${error.message}.`, { cause: error });
  });
  return readScenario(text, path);
}
