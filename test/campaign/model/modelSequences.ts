import fc from 'fast-check';
import seedrandom from 'seedrandom';
import { NOTHING } from '../campaign.js';
import { ledgerOf } from '../oracle.js';
import type { Part } from '../parts.js';
import { BACKENDS } from '../queueServers.js';
import { openScene, type Scene } from '../scene.js';
import { expectAsPredicted, untilSettled } from './check.js';
import { commands, stopAutomatic } from './commands.js';
import { emptyState, type ModelState } from './modelState.js';

const METERS = 20;
/** Some two in a hundred sequences have a kill in the long form; in the short one every tenth. */
const KILLS = { long: 2, short: 10 };
/**
 * Sequences under way at once on one deployment: each waits most of its time, for a backfill's turn or a batch's place.
 * What one kills the others have to stand as well.
 */
const LANES = 16;

export const modelSequences: Part = {
  about: 'sequences of publish, event, automatic mode, backfill, cancel, kill and restart against a model',
  backends: BACKENDS,
  rounds: { long: 10_000, short: 48 },
  async run({ backend, seed, isShort, rounds, say = () => undefined }) {
    const scene = await openScene({
      ...{ backend, seed, apis: 2, workers: 2 },
      beforeStart: async () => ({ READS_PER_ADDRESS: '0' }),
    });
    if (scene === undefined) return { ...NOTHING, skipped: 'there is no redis-server or valkey-server' };
    const began = performance.now();
    const form = isShort ? 'short' : 'long';
    const wanted = rounds ?? modelSequences.rounds[form];
    const weight = KILLS[form];
    let done = 0;
    let kills = 0;
    const onDone = (state: ModelState): void => {
      done += 1;
      kills += state.kills;
      if (done % Math.ceil(wanted / 20) === 0) say(`${done} of ${wanted} sequences, ${seconds()} s`);
    };
    const seconds = (): number => Math.round((performance.now() - began) / 1000);
    try {
      const found = await Promise.all(
        Array.from({ length: LANES }, (_, lane) => {
          const share = Math.floor(wanted / LANES) + (lane < wanted % LANES ? 1 : 0);
          return share === 0
            ? []
            : runLane(scene, { lane, seed: seedrandom(`${seed}/${lane}`).int32(), share, weight, onDone });
        }),
      );
      const ledger = await ledgerOf(scene.pool());
      const { rows } = await scene
        .pool()
        .query<{ publishes: number }>('SELECT count(*)::integer AS publishes FROM ami_publishes');
      return {
        ...{ ...NOTHING, rounds: done, publishes: rows[0]?.publishes ?? 0, jobs: ledger.batches },
        ...{ reads: ledger.inserted, ended: kills + scene.fleet.endedByThemselves(), seconds: seconds() },
        troubles: found.flat(),
      };
    } finally {
      await scene.close();
    }
  },
};

interface Lane {
  lane: number;
  seed: number;
  share: number;
  /** Of kills among the commands. */
  weight: number;
  onDone(state: ModelState): void;
}

async function runLane(scene: Scene, { lane, seed, share, weight, onDone }: Lane): Promise<string[]> {
  let number = 0;
  const checked = await fc.check(
    fc.asyncProperty(commands(weight), async (sequence) => {
      number += 1;
      const state = emptyState(`MODEL-${lane}-${number}`, METERS);
      await fc.asyncModelRun(() => ({ model: state, real: scene }), sequence);
      await untilSettled(state, scene);
      if (state.isAutomatic) await stopAutomatic(state, scene);
      await expectAsPredicted(state, scene);
      onDone(state);
    }),
    // The others go on meanwhile, and a smaller sequence would meet other kills.
    { numRuns: share, seed, endOnFailure: true },
  );
  if (!checked.failed) return [];
  return [
    `lane ${lane}: ${(checked.errorInstance as Error).message}, after ${String(checked.counterexample)} (seed ${checked.seed}, path ${checked.counterexamplePath})`,
  ];
}
