import { MS_PER_MINUTE } from '../contracts/intervals.js';
import type { PlannedEvent, Scenario } from './scenario.js';

/** The API of a running deployment, as anybody with a key has it. Each throws what the API says that is wrong. */
export interface ScenarioApi {
  get<T>(path: string): Promise<T>;
  post<T>(path: string, body?: object): Promise<T>;
}

/** An event as the API lists it. */
export interface StandingEvent {
  id: string;
  feederId: string;
  eventType: string;
  severity: number;
  startAt: string;
  endAt: string;
  state: 'active' | 'ended' | 'scheduled';
  meterIds: string[] | null;
  /** Where `meterIds` has not all of them. */
  meterIdCount?: number;
  meterFraction: number | null;
  delivery?: string;
  form?: string;
}

/** What would make a deployment be as the file has it. A scenario's tenant is its own: what else happens to it is ended. */
export interface ScenarioPlan {
  post: readonly PlannedEvent[];
  stop: readonly StandingEvent[];
  /** Events that are there as the file has them. */
  there: number;
  /** `start` where automatic mode does not run, `change` where it runs with other settings. */
  automatic: 'same' | 'start' | 'change';
}

interface AutomaticStatus {
  enabled: boolean;
  config: Record<string, unknown> | null;
}

/** Looks at the deployment and changes nothing. */
export async function planApplying(api: ScenarioApi, scenario: Scenario): Promise<ScenarioPlan> {
  const { tenantId } = scenario.file;
  const standing = await standingEvents(api, tenantId);
  const { enabled, config } = await api.get<AutomaticStatus>(`/auto/status?tenantId=${tenantId}`);
  const wanted = new Map(scenario.events.map((event) => [wantedKey(event), event]));
  const found = new Set(standing.map(standingKey));
  return {
    post: [...wanted].flatMap(([key, event]) => (found.has(key) ? [] : [event])),
    stop: standing.filter((event) => event.state !== 'ended' && !wanted.has(standingKey(event))),
    there: [...wanted.keys()].filter((key) => found.has(key)).length,
    automatic: enabled ? (isSame(config, startRequest(scenario)) ? 'same' : 'change') : 'start',
  };
}

/**
 * Makes the deployment be as the file has it. Events come before the start: they show in reads that are made after them. Cut off,
 * it is to be run again.
 */
export async function applyScenario(api: ScenarioApi, scenario: Scenario): Promise<ScenarioPlan> {
  const plan = await planApplying(api, scenario);
  for (const event of plan.post) await api.post(`/event/${event.eventType}`, eventRequest(scenario, event));
  for (const { id } of plan.stop) await api.post(`/event/${id}/stop`);
  if (plan.automatic !== 'same') await api.post('/auto/start', startRequest(scenario));
  return plan;
}

/** What is left of the scenario when it has been removed. */
export interface RemovedScenario {
  stopped: number;
  /** Events that were over, which stay in the list, as the reads do. */
  over: number;
  wasRunning: boolean;
}

/** Ends the tenant's events, by its own clock, and then its automatic mode. */
export async function removeScenario(api: ScenarioApi, tenantId: string): Promise<RemovedScenario> {
  const standing = await standingEvents(api, tenantId);
  const open = standing.filter(({ state }) => state !== 'ended');
  for (const { id } of open) await api.post(`/event/${id}/stop`);
  const { wasEnabled } = await api.post<{ wasEnabled: boolean }>('/auto/stop', { tenantId });
  return { stopped: open.length, over: standing.length - open.length, wasRunning: wasEnabled };
}

/** Body of `POST /auto/start`. */
export function startRequest({ file, from }: Scenario): Record<string, unknown> {
  const { scenario: _, description: __, span: ___, speed, events: ____, ...fleet } = file;
  return { ...fleet, replay: { from: from.toISOString(), speed } };
}

/** Body of `POST /event/<type>`. */
function eventRequest({ file }: Scenario, event: PlannedEvent): Record<string, unknown> {
  const { feederId, severity, startAt, endAt, meterIds, meterFraction, form, delivery } = event;
  return {
    ...{ tenantId: file.tenantId, feederId, severity, startAt: startAt.toISOString() },
    durationMinutes: (endAt.getTime() - startAt.getTime()) / MS_PER_MINUTE,
    ...(meterIds && { meterIds }),
    ...(meterFraction !== null && { meterFraction }),
    ...(form && { form }),
    ...(delivery && { delivery }),
  };
}

/** Whether automatic mode runs as the scenario asks. A replay that has caught up is not shown any more, and is as asked. */
function isSame(config: Record<string, unknown> | null, wanted: Record<string, unknown>): boolean {
  if (config === null) return false;
  return Object.entries(wanted).every(([field, value]) => {
    if (value === undefined) return config[field] === undefined;
    if (field === 'replay' && config.replay === undefined) return true;
    return JSON.stringify(canonical(config[field])) === JSON.stringify(canonical(value));
  });
}

function canonical(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
}

async function standingEvents(api: ScenarioApi, tenantId: string): Promise<StandingEvent[]> {
  const all: StandingEvent[] = [];
  let after = '';
  for (;;) {
    const { events, next } = await api.get<{ events: StandingEvent[]; next?: string }>(
      `/events?tenantId=${tenantId}${after}`,
    );
    for (const event of events) {
      const isCut = event.meterIdCount !== undefined;
      all.push(isCut ? (await api.get<{ event: StandingEvent }>(`/events/${event.id}`)).event : event);
    }
    if (next === undefined) return all;
    after = `&after=${next}`;
  }
}

function wantedKey({ startAt, endAt, meterIds, ...event }: PlannedEvent): string {
  return keyOf({ ...event, startMs: startAt.getTime(), endMs: endAt.getTime(), meters: meterIds });
}

function standingKey({ startAt, endAt, meterIds, form, delivery, ...event }: StandingEvent): string {
  return keyOf({
    ...event,
    ...{ startMs: Date.parse(startAt), endMs: Date.parse(endAt), meters: meterIds },
    ...{ form: form ?? null, delivery: delivery ?? null },
  });
}

/** Two events with one key do the same to every read. */
function keyOf(event: {
  feederId: string;
  eventType: string;
  severity: number;
  startMs: number;
  endMs: number;
  meters: readonly string[] | null;
  meterFraction: number | null;
  form: string | null;
  delivery: string | null;
}): string {
  const { feederId, eventType, severity, startMs, endMs, meters, meterFraction, form, delivery } = event;
  const named = meters && [...meters].sort();
  return JSON.stringify([
    feederId,
    eventType,
    severity,
    startMs,
    endMs,
    named,
    meterFraction,
    form,
    delivery,
  ]);
}
