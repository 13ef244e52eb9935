import { describe, expect, it } from 'vitest';
import { answerBudget, answerBudgetFor } from '../../src/contracts/answerBudget.js';

describe('the answer budget', () => {
  it('F9: is the deployed one unless it is stretched', () => {
    expect(answerBudget()).toEqual({
      handler: 1_900,
      dryRun: 1_850,
      dependency: 1_500,
      lock: 1_400,
      customerSection: 1_200,
      customerView: 1_000,
      staleness: 800,
      connection: 1_000,
      frozenHolder: 5_000,
    });
  });

  it.each([1, 2, 5, 20])('F9: gives each part less than the one that waits for it (factor %i)', (factor) => {
    const { handler, dryRun, dependency, lock, customerSection, customerView, frozenHolder } =
      answerBudgetFor(factor);
    expect(handler).toBeLessThan(2_000 * factor);
    const nested = [frozenHolder, handler, dryRun, dependency, lock, customerSection, customerView];
    expect(nested).toEqual([...nested].sort((a, b) => b - a));
    expect(new Set(nested).size).toBe(nested.length);
  });
});
