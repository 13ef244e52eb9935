import { type EventType, looksOf, severityWords } from '../core/events.js';
import { percent, plural } from '../core/format.js';
import { reasonOf } from '../core/reason.js';
import { post } from '../data/api.js';
import { notice } from '../data/notices.js';
import type { PilotEvent } from '../data/types.js';
import { DataTable } from './DataTable.js';
import { LateReads } from './LateReads.js';
import { FeederLink } from './Link.js';
import { Empty } from './Panel.js';
import { Instant } from './Time.js';

/** Outages whose late reads are counted: each is a question of its own every few seconds. */
const MOST_FOLLOWED = 5;

export function EventTag({ type }: { type: EventType }) {
  const { name, letter } = looksOf(type);
  return (
    <span class={`tag ${type}`}>
      <b aria-hidden="true">{letter}</b> {name}
    </span>
  );
}

/** Events as a table; those that are not over can be ended. */
export function EventList({ events, refresh }: { events: PilotEvent[]; refresh: () => void }) {
  if (events.length === 0) return <Empty>No events.</Empty>;
  const late = events.filter(({ delivery }) => delivery === 'late');
  const followed = new Set(late.slice(0, MOST_FOLLOWED).map(({ id }) => id));
  return (
    <DataTable
      caption="Events"
      rows={events}
      keyOf={({ id }) => id}
      columns={[
        { title: 'Event', cell: ({ eventType }) => <EventTag type={eventType} /> },
        { title: 'Feeder', cell: ({ feederId }) => <FeederLink id={feederId} /> },
        { title: 'Meters', cell: (event) => metersOf(event) },
        { title: 'Severity', cell: ({ eventType, severity }) => severityWords(eventType, severity) },
        { title: 'From', cell: ({ startAt }) => <Instant at={startAt} /> },
        { title: 'To', cell: ({ endAt }) => <Instant at={endAt} /> },
        {
          title: 'State',
          cell: ({ id, state }) => (
            <>
              <span class={`state ${state}`}>{state}</span>
              {followed.has(id) && <LateReads eventId={id} />}
            </>
          ),
        },
        {
          title: 'Action',
          cell: (event) =>
            event.state !== 'ended' && (
              <button
                type="button"
                aria-label={`End now: ${looksOf(event.eventType).name} on ${event.feederId}`}
                onClick={() => void end(event, refresh)}
              >
                End now
              </button>
            ),
        },
      ]}
    />
  );
}

function metersOf({ meterIds, meterIdCount, meterFraction }: PilotEvent): string {
  if (meterFraction !== null) return `${percent(meterFraction * 100)} of them`;
  if (meterIds !== null) return plural(meterIdCount ?? meterIds.length, 'meter');
  return 'all';
}

async function end(event: PilotEvent, refresh: () => void): Promise<void> {
  const name = `${looksOf(event.eventType).name} on ${event.feederId}`;
  try {
    await post(`/event/${event.id}/stop`, {});
    notice(
      'done',
      `${name} has ended. What was read with it stays; intervals that begin from now on are clean.`,
    );
  } catch (error) {
    notice('failed', `${name} was not ended: ${reasonOf(error)}`);
  }
  refresh();
}
