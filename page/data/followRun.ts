import { post } from './api.js';
import type { ValidationRun } from './types.js';
import { untilEnded } from './untilEnded.js';

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
  const run = await untilEnded<ValidationRun>(`/vee/runs/${runId}`, LOOKS);
  if (run === undefined) throw new Error(`run ${runId} has not ended yet: is a worker running?`);
  if (run.state === 'failed') throw new Error(run.failure ?? `run ${runId} has failed`);
  return Object.entries(run.estimated).reduce(
    (sum, [method, reads]) => (method === 'none' ? sum : sum + reads),
    0,
  );
}
