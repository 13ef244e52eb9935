import { setTimeout as sleep } from 'node:timers/promises';
import type { Scene } from '../scene.js';
import { postOnce } from '../workload.js';

const AGAIN_MS = 200;

export interface Accepted {
  body: Record<string, unknown>;
  /** How often it was sent. */
  sent: number;
}

/** Posts until there is an answer that is in no doubt. @throws when it is refused. */
export async function post(scene: Scene, path: string, body: object): Promise<Accepted> {
  for (let sent = 1; ; sent += 1) {
    const url = scene.fleet.url();
    const answer = url === undefined ? undefined : await postOnce(`${url}/api/ami/${path}`, body);
    if (answer?.ok) return { body: JSON.parse(answer.text), sent };
    if (answer !== undefined && answer.status !== 429 && answer.status !== 503)
      throw new Error(`${path} was refused: ${answer.status} ${answer.text}`);
    await sleep(AGAIN_MS);
  }
}

export interface ListedEvent {
  id: string;
  eventType: string;
  feederId: string;
  startAt: string;
  endAt: string;
}

/** Every event of a tenant, by the API. */
export async function listEvents(scene: Scene, tenantId: string): Promise<ListedEvent[]> {
  for (;;) {
    const url = scene.fleet.url();
    const answer = await fetch(`${url}/api/ami/events?tenantId=${tenantId}`).then(
      async (response) => (response.ok ? ((await response.json()) as { events: ListedEvent[] }) : undefined),
      () => undefined,
    );
    if (answer !== undefined) return answer.events;
    await sleep(AGAIN_MS);
  }
}

/** Posts an event once: repeating it would be a second one, so one in doubt is looked for. */
export async function postEvent(
  scene: Scene,
  type: string,
  body: { tenantId: string; startAt: string },
): Promise<string> {
  for (;;) {
    const url = scene.fleet.url();
    const answer = url === undefined ? undefined : await postOnce(`${url}/api/ami/event/${type}`, body);
    if (answer?.ok) return (JSON.parse(answer.text) as { event: { id: string } }).event.id;
    if (answer !== undefined && answer.status !== 429 && answer.status !== 503)
      throw new Error(`event/${type} was refused: ${answer.status} ${answer.text}`);
    await sleep(AGAIN_MS);
    // A process that was killed may have left its statement under way for a moment.
    const found = (await listEvents(scene, body.tenantId)).find(
      ({ startAt }) => new Date(startAt).getTime() === new Date(body.startAt).getTime(),
    );
    if (found !== undefined) return found.id;
  }
}
