import { count, plural } from '../core/format.js';
import { get } from '../data/api.js';
import type { FoundEvent } from '../data/types.js';
import { usePolled } from '../data/usePolled.js';

const POLL_MS = 3_000;

/** What has become of the reads that an outage keeps back. */
export function LateReads({ eventId }: { eventId: string }) {
  const polled = usePolled<FoundEvent>(
    `late reads of ${eventId}`,
    (signal) => get(`/events/${eventId}`, {}, signal),
    POLL_MS,
  );
  const late = polled.data?.event.lateReads;
  if (!late) return null;
  const waiting = late.heldBack + late.onTheWay;
  const parts = [
    waiting > 0 && `${plural(waiting, 'read')} held back`,
    late.delivered > 0 && `${count(late.delivered)} arrived late`,
    late.lost > 0 && `${count(late.lost)} lost`,
  ].filter((part) => part !== false);
  return <small class="quiet"> {parts.join(', ')}</small>;
}
