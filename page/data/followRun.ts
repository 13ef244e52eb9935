import { get, post } from './api.js';
import type { ValidationRun } from './types.js';

const LOOK_EVERY_MS = 700;
const LOOKS = 400;

/**
 * Has a span validated, and follows that until it has ended.
 *
 * @returns reads that were estimated.
 * @throws Error that says why it failed, or that it goes on too long to be waited for.
 */
export async function followRun(request: {
  tenantId: string;
  from: string;
  to: string;
  estimate: boolean;
}): Promise<number> {
  const { runId } = await post<ValidationRun>('/vee/runs', request);
  for (let look = 0; look < LOOKS; look += 1) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    const { state, failure, estimated } = await get<ValidationRun>(`/vee/runs/${runId}`);
    if (state === 'failed') throw new Error(failure ?? `run ${runId} has failed`);
    if (state !== 'done') continue;
    return Object.entries(estimated).reduce(
      (sum, [method, reads]) => (method === 'none' ? sum : sum + reads),
      0,
    );
  }
  throw new Error(`run ${runId} has not ended yet: is a worker running?`);
}
