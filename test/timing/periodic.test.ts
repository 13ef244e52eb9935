import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { type Outcome, runPeriodically } from '../../src/timing/periodic.js';

/** Runs a work that does as each of `turns` says, and stops after the last; returns what was logged. */
async function logOf(turns: (Outcome | Error)[]): Promise<Record<string, unknown>[]> {
  const lines: Record<string, unknown>[] = [];
  const log = pino(
    { base: null, timestamp: false },
    { write: (line: string) => lines.push(JSON.parse(line)) },
  );
  const left = [...turns];
  let ended = (): void => undefined;
  const end = new Promise<void>((resolve) => {
    ended = resolve;
  });
  const work = async (): Promise<Outcome> => {
    const turn = left.shift();
    if (left.length === 0) ended();
    if (turn instanceof Error) throw turn;
    return turn ?? 'skipped';
  };
  const periodic = runPeriodically('upkeep', 0, work, log);
  await end;
  await periodic.stop();
  return lines;
}

describe('periodic work', () => {
  it('says how often it failed in a row, since when, and when that is over', async () => {
    const lines = await logOf(['ran', new Error('away'), 'skipped', new Error('still away'), 'ran', 'ran']);
    expect(lines).toEqual([
      {
        level: 40,
        reason: 'away',
        failedInARow: 1,
        lastSucceededAt: expect.any(String),
        msg: expect.any(String),
      },
      {
        level: 40,
        reason: 'still away',
        failedInARow: 2,
        lastSucceededAt: expect.any(String),
        msg: expect.any(String),
      },
      { level: 30, failedInARow: 2, lastSucceededAt: expect.any(String), msg: 'upkeep succeeded again' },
    ]);
    expect(lines[1]?.lastSucceededAt).toBe(lines[0]?.lastSucceededAt);
  });

  it('does not take the turn of another process for a success of its own', async () => {
    const [first] = await logOf(['skipped', new Error('away'), 'skipped']);
    expect(first).toMatchObject({ failedInARow: 1, lastSucceededAt: null });
  });
});
