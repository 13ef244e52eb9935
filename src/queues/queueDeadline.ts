import { DependencyUnavailableError } from '../contracts/errors.js';
import { withDeadline } from '../timing/deadline.js';

/** 1.5 s: a healthy queue answers in milliseconds, and an API answer must be out within 2 s. */
export const QUEUE_DEADLINE_MS = 1_500;

/**
 * The call's answer, or DependencyUnavailableError when the queue fails or does not answer in time. A frozen
 * Redis, and one that was away when the client was made, never answer by themselves (measured, bullmq.md).
 */
export async function withQueueDeadline<T>(call: () => Promise<T>): Promise<T> {
  const late = (): Error => new Error(`no answer within ${QUEUE_DEADLINE_MS} ms`);
  try {
    return await withDeadline(call, QUEUE_DEADLINE_MS, late);
  } catch (error) {
    throw new DependencyUnavailableError('queue', error);
  }
}
