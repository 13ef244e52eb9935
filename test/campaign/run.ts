import { parseArgs } from 'node:util';
import { stretchBudget } from '../support/answerBudget.js';
import { openGuardedRun } from '../support/guardedRun.js';
import type { Outcome } from './campaign.js';
import { PARTS, type Part } from './parts.js';
import { BACKENDS, type Backend } from './queueServers.js';
import { closeScenes } from './scene.js';

/**
 * `npm run campaign -- [NAME …] [options]`: real servers and processes in trouble while publishes are accepted and written.
 * Prints a table for docs/reliability.md, and exits 1 when anything was lost, written twice or differs from an undisturbed
 * run.
 */
const USAGE = `npm run campaign -- [NAME …] [--backend ${BACKENDS.join('|')}] [--seed TEXT] [--rounds N] [--short] [--list]`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    backend: { type: 'string' },
    seed: { type: 'string' },
    rounds: { type: 'string' },
    short: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
});
// The campaign looks from beside processes that take all of the machine; what it judges are they, not its own looks.
stretchBudget();
const print = (line: string): void => void process.stdout.write(`${line}\n`);
const unknown = positionals.filter((name) => !(name in PARTS));
const badBackend = values.backend !== undefined && !BACKENDS.includes(values.backend as Backend);
if (values.list || values.help || unknown.length > 0 || badBackend) {
  if (unknown.length > 0) print(`There is no campaign ${unknown.join(', ')}.`);
  if (badBackend) print(`--backend must be one of ${BACKENDS.join(', ')}, not ${values.backend}.`);
  print(USAGE);
  for (const [name, { about, rounds, backends }] of Object.entries(PARTS))
    print(
      `\n  ${name}\n      ${about}; ${rounds.long} rounds, short ${rounds.short}; ${backends.join(', ')}`,
    );
  process.exitCode = values.list || values.help ? 0 : 1;
} else {
  const close = await openGuardedRun(closeScenes);
  process.exitCode = (await runAll()) ? 0 : 1;
  await close();
}

async function runAll(): Promise<boolean> {
  const seed = values.seed ?? new Date().toISOString();
  print(`seed ${seed}: npm run campaign -- --seed '${seed}' repeats it\n`);
  print(
    '| campaign | queue | rounds | publishes | jobs | reads | sent again | restarts | s | nothing lost, nothing twice |',
  );
  print('|---|---|---|---|---|---|---|---|---|---|');
  let passed = true;
  for (const [name, part] of chosen()) {
    for (const backend of part.backends) {
      if (values.backend !== undefined && values.backend !== backend) continue;
      const outcome = await runOne(name, part, backend, seed);
      print(rowOf(name, backend, outcome));
      for (const trouble of outcome.troubles) print(`  ${trouble}`);
      passed &&= outcome.troubles.length === 0;
    }
  }
  return passed;
}

function chosen(): [string, Part][] {
  return Object.entries(PARTS).filter(([name]) => positionals.length === 0 || positionals.includes(name));
}

async function runOne(name: string, part: Part, backend: Backend, seed: string): Promise<Outcome> {
  try {
    return await part.run({
      ...{ backend, seed, isShort: values.short },
      rounds: values.rounds === undefined ? undefined : Number(values.rounds),
      say: (line) => void process.stderr.write(`${name}, ${backend}: ${line}\n`),
    });
  } catch (error) {
    return {
      ...{ rounds: 0, publishes: 0, jobs: 0, reads: 0, sentAgain: 0, ended: 0, seconds: 0 },
      troubles: [(error as Error).message],
    };
  }
}

function rowOf(name: string, backend: Backend, outcome: Outcome): string {
  const { rounds, publishes, jobs, reads, sentAgain, ended, seconds, troubles, skipped } = outcome;
  if (skipped !== undefined) return `| ${name} | ${backend} | SKIPPED: ${skipped} | | | | | | | |`;
  const cells = [
    rounds,
    publishes,
    jobs,
    reads,
    sentAgain,
    ended,
    seconds,
    troubles.length === 0 ? 'yes' : 'NO',
  ];
  return `| ${name} | ${backend} | ${cells.join(' | ')} |`;
}
