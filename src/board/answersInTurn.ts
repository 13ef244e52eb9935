import pLimit from 'p-limit';
import { answerBudget } from '../contracts/answerBudget.js';
import { ApiError, DependencyUnavailableError } from '../contracts/errors.js';
import { withDeadline } from '../timing/deadline.js';

/** Ten tabs that ask at once; who comes then is told to come again. */
const MOST_WAITING = 10;

/**
 * One answer after the other, each within its deadline. The work of one that is late is waited for before the next begins,
 * and whoever has waited too long has nothing done: a queue that answers slowly is not asked twice at a time.
 *
 * @throws ApiError 503 where many wait, 400 in the queue's own words where it refuses a change;
 * DependencyUnavailableError where it does not answer.
 */
export function answersInTurn(): <T>(method: string, work: () => Promise<T>) => Promise<T> {
  const inTurn = pLimit(1);
  return async (method, work) => {
    if (inTurn.pendingCount >= MOST_WAITING) throw busy();
    const { dependency } = answerBudget();
    const late = new Error(`no answer within ${dependency} ms`);
    let isOver = false;
    const turn = async () => {
      if (isOver) throw late;
      return work();
    };
    try {
      return await withDeadline(
        () => inTurn(turn),
        dependency,
        () => late,
      );
    } catch (error) {
      if (method === 'GET' || method === 'HEAD' || error === late)
        throw new DependencyUnavailableError('queue', error);
      throw new ApiError(400, 'invalid_request', `The queue refuses it: ${(error as Error).message}.`);
    } finally {
      isOver = true;
    }
  };
}

function busy(): ApiError {
  return new ApiError(503, 'busy', 'Many look at the queues right now; ask again in a moment.', {
    headers: { 'Retry-After': '2' },
  });
}
