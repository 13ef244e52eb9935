/**
 * Room: demo. Promises: a tenant to show, made by the API's own routes, the same however often it is asked for, and
 * taken away without a trace.
 */

import type { BackfillAnswer } from '../backfill/progressAnswer.js';
import type { DemoApi } from './demoApi.js';
import { DEMO_TENANT, type DemoPlan } from './demoPlan.js';

interface Listed {
  id: string;
  eventType: string;
  feederId: string;
}

/** What had to be made; nothing where all was there. */
export interface Arranged {
  events: number;
  startedAutomatic: boolean;
  /** The backfill of the history, made now or before. */
  backfillId: string;
  startedBackfill: boolean;
}

/**
 * Makes what is missing. Events come first: they show in reads that are made after them.
 *
 * @throws StartupError what the API refuses.
 */
export async function arrangeDemo(api: DemoApi, plan: DemoPlan): Promise<Arranged> {
  const tenantId = DEMO_TENANT;
  const { events: listed } = await api.get<{ events: Listed[] }>(`/events?tenantId=${tenantId}`);
  const isThere = ({ type, feederId }: DemoPlan['events'][number]): boolean =>
    listed.some((event) => event.eventType === type && event.feederId === feederId);
  const missing = plan.events.filter((event) => !isThere(event));
  for (const { type, ...event } of missing) await api.post(`/event/${type}`, { tenantId, ...event });

  const { enabled } = await api.get<{ enabled: boolean }>(`/auto/status?tenantId=${tenantId}`);
  if (!enabled) await api.post('/auto/start', { tenantId, ...plan.fleet, catchUpIntervals: 1 });

  const made = await backfillsOf(api);
  const found = made.find(({ state }) => ['queued', 'running', 'done'].includes(state));
  const { backfillId } =
    found ??
    (await api.post<{ backfillId: string }>('/backfill', {
      tenantId,
      ...plan.fleet,
      from: plan.from,
      to: plan.to,
    }));
  return {
    events: missing.length,
    startedAutomatic: !enabled,
    backfillId,
    startedBackfill: found === undefined,
  };
}

/** Ends what goes on of the demo; what was accepted is still written. */
export async function stopDemo(api: DemoApi): Promise<void> {
  await api.post('/auto/stop', { tenantId: DEMO_TENANT });
  for (const { backfillId, state } of await backfillsOf(api))
    if (state === 'queued' || state === 'running') await api.post(`/backfill/${backfillId}/cancel`);
}

/** How far the history is. */
export async function historyProgress(api: DemoApi, backfillId: string): Promise<BackfillAnswer> {
  const answer = await api.get<BackfillAnswer>(`/backfill/${backfillId}`);
  const { acceptedAt, finishedAt } = answer;
  return {
    ...answer,
    acceptedAt: new Date(acceptedAt),
    finishedAt: finishedAt === null ? null : new Date(finishedAt),
  };
}

async function backfillsOf(api: DemoApi): Promise<BackfillAnswer[]> {
  return (await api.get<{ backfills: BackfillAnswer[] }>(`/backfills?tenantId=${DEMO_TENANT}`)).backfills;
}
