import { stretchAnswerBudget } from '../../src/contracts/answerBudget.js';

/**
 * Tests wait for behaviour, not for a loaded machine: their deployments may take 10 s for what is deployed with 2 s.
 * The tests of the deployed budget say so with DEPLOYED_BUDGET.
 */
export const STRETCHED_BUDGET = { ANSWER_BUDGET_FACTOR: '5' };
export const DEPLOYED_BUDGET = { ANSWER_BUDGET_FACTOR: '1' };

/** For a test that uses parts of the product without a deployment, in the test's own process. */
export function stretchBudget(): void {
  stretchAnswerBudget(Number(STRETCHED_BUDGET.ANSWER_BUDGET_FACTOR));
}

/** For a test that waits until a budget in the test's own process is used up: 1.4 s instead of 7. */
export function deployBudget(): void {
  stretchAnswerBudget(Number(DEPLOYED_BUDGET.ANSWER_BUDGET_FACTOR));
}
