import { answerBudget } from '../contracts/answerBudget.js';
import { DependencyUnavailableError } from '../contracts/errors.js';
import { withDeadline } from '../timing/deadline.js';
import { refusalOf } from './redis/redisErrors.js';

/**
 * The call's answer, or DependencyUnavailableError when the queue fails or does not answer in time. A frozen
 * Redis, and one that was away when the client was made, never answer by themselves (docs/bullmq.md).
 */
export async function withQueueDeadline<T>(call: () => Promise<T>): Promise<T> {
  const { dependency } = answerBudget();
  const late = (): Error => new Error(`no answer within ${dependency} ms`);
  try {
    return await withDeadline(call, dependency, late);
  } catch (error) {
    throw new DependencyUnavailableError('queue', error, refusalOf(error));
  }
}
