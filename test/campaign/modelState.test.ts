import { describe, expect, it } from 'vitest';
import {
  addEvent,
  ask,
  emptyState,
  type ModelEvent,
  readAtOf,
  settle,
  startAutomatic,
} from './model/modelState.js';

const SAG: ModelEvent = { id: 'a', type: 'voltage-sag', feeder: 'FEEDER_1', from: 0, to: 2 };

function shown(state: ReturnType<typeof emptyState>) {
  return Object.fromEntries(
    [...state.slots].map(([readAt, { isCertain, voltages }]) => [
      readAt,
      [isCertain, voltages.get('FEEDER_1') ?? 'usual'],
    ]),
  );
}

describe('the model of a tenant', () => {
  it('predicts a sag in what is made after it, none in what is there, and either in what is on its way', () => {
    const state = emptyState('T', 20);
    ask(state, readAtOf(0), true);
    settle(state);
    ask(state, readAtOf(1), true);
    addEvent(state, SAG);
    ask(state, readAtOf(2), true);
    const later = emptyState('T', 20);
    addEvent(later, SAG);
    ask(later, readAtOf(1), true);
    expect([shown(state), shown(later)]).toEqual([
      { [readAtOf(0)]: [true, 'usual'], [readAtOf(1)]: [true, 'either'], [readAtOf(2)]: [true, 'usual'] },
      { [readAtOf(1)]: [true, 'sagged'] },
    ]);
  });

  it('takes what other settings of the automatic mode asked for as owed no longer, unless it is written', () => {
    const state = emptyState('T', 20);
    startAutomatic(state, [readAtOf(0), readAtOf(1)], new Set([readAtOf(0), readAtOf(1)]));
    startAutomatic(state, [readAtOf(1)], new Set([readAtOf(1)]));
    expect(shown(state)).toEqual({ [readAtOf(0)]: [false, 'usual'], [readAtOf(1)]: [true, 'usual'] });
  });
});
