import { randomBytes } from 'node:crypto';
import { readdir, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { isSameProcess, startMark } from './stack/processIdentity.js';

/**
 * A path beside `path`, to build it at and rename from: what bears the final name is whole.
 *
 * The name says which process builds. So what a killed process left is known as such and removed here, and what another
 * start is building right now stays.
 */
export async function unfinishedPathFor(path: string): Promise<string> {
  const [folder, name] = [dirname(path), basename(path)];
  for (const entry of await readdir(folder)) {
    if (!entry.startsWith(`${name}.`) || !entry.endsWith('.unfinished')) continue;
    const [pid, mark] = entry.slice(name.length + 1).split('.');
    const building = mark !== undefined && (await isSameProcess(Number(pid), mark));
    // Retries: an initdb that outlived its killed start may still be adding files for a moment.
    if (!building) await rm(join(folder, entry), { recursive: true, force: true, maxRetries: 10 });
  }
  const mark = (await startMark(process.pid)) ?? 'unknown';
  return join(folder, `${name}.${process.pid}.${mark}.${randomBytes(4).toString('hex')}.unfinished`);
}
