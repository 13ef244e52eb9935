import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { StartupError } from '../contracts/errors.js';
import { readScenario } from '../scenarios/readScenario.js';
import type { Scenario } from '../scenarios/scenario.js';
import { startedFrom } from './commandLine.js';

/** A path as the caller of one of these commands means it. */
export function fromCaller(path: string): string {
  return resolve(startedFrom('scenario', 'dataset', 'score'), path);
}

/** @throws StartupError one sentence: why the file cannot be read, or what is wrong in it on which line. */
export async function scenarioOf(path: string): Promise<Scenario> {
  const text = await readFile(fromCaller(path), 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new StartupError(`${path} cannot be read: ${error.message}.`, { cause: error });
  });
  return readScenario(text, path);
}
