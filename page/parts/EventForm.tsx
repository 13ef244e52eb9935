import { useState } from 'preact/hooks';
import { EVENT_TYPES, type EventType, looksOf, severityWords } from '../core/events.js';
import { reasonOf } from '../core/reason.js';
import { HOUR } from '../core/spans.js';
import { post } from '../data/api.js';
import { followRevision } from '../data/followRevision.js';
import { notice } from '../data/notices.js';
import type { EventCreated, LatestFeeder } from '../data/types.js';

interface EventFormProps {
  tenantId: string;
  feeders: LatestFeeder[];
  feederId: string;
  onFeeder: (id: string) => void;
  /** The start of the latest interval: an event that begins then shows in it. */
  latestStart: string | null;
  changed: () => void;
}

const DURATIONS = [15, 30, 60, 120, 240, 1_440];
const SHARES = [
  { value: 1, name: 'All meters' },
  { value: 0.5, name: 'Half of the meters' },
  { value: 0.1, name: 'A tenth of the meters' },
];

/** `earlier` is for the past that is still to be filled in. */
type Start = 'latest' | 'earlier' | 'now';
const EARLIER_HOURS = 8;

function startOf(start: Start, latestStart: string | null): { startAt?: string } {
  if (start === 'now' || latestStart === null) return {};
  const before = start === 'earlier' ? EARLIER_HOURS * HOUR : 0;
  return { startAt: new Date(Date.parse(latestStart) - before).toISOString() };
}

/** Posts an event that shows at once, and follows it until it does. */
export function EventForm({ tenantId, feeders, feederId, onFeeder, latestStart, changed }: EventFormProps) {
  const [type, setType] = useState<EventType>('theft');
  const [severity, setSeverity] = useState(0.8);
  const [minutes, setMinutes] = useState(60);
  const [share, setShare] = useState(1);
  const [delivery, setDelivery] = useState<'lost' | 'late'>('lost');
  const [start, setStart] = useState<Start>('latest');
  const [isSending, setIsSending] = useState(false);

  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    const name = `${looksOf(type).name} on ${feederId}`;
    const before = feeders.find((feeder) => feeder.feederId === feederId);
    setIsSending(true);
    try {
      const created = await post<EventCreated>(`/event/${type}`, {
        tenantId,
        feederId,
        severity,
        durationMinutes: minutes,
        ...(type === 'comms-outage' ? { delivery } : {}),
        ...(share < 1 ? { meterFraction: share } : {}),
        ...startOf(start, latestStart),
        applyNow: true,
      });
      changed();
      setIsSending(false);
      await followRevision(name, created, before, changed);
    } catch (error) {
      notice('failed', `${name}: ${reasonOf(error)}`);
    }
    setIsSending(false);
  };

  return (
    <form class="event-form" onSubmit={submit}>
      <fieldset class="segmented">
        <legend>What happens</legend>
        {EVENT_TYPES.map((one) => (
          <button key={one} type="button" aria-pressed={one === type} onClick={() => setType(one)}>
            {looksOf(one).name}
          </button>
        ))}
      </fieldset>
      <label>
        Feeder
        <select value={feederId} onChange={(event) => onFeeder(event.currentTarget.value)}>
          {feeders.map(({ feederId: id }) => (
            <option key={id} value={id}>
              {id}
            </option>
          ))}
        </select>
      </label>
      <label class="wide">
        <span>
          Severity <b class="number">{severity.toFixed(2)}</b>{' '}
          <span class="quiet">{severityWords(type, severity)}</span>
        </span>
        <input
          type="range"
          min={0.05}
          max={1}
          step={0.05}
          value={severity}
          onInput={(event) => setSeverity(Number(event.currentTarget.value))}
        />
      </label>
      <label>
        Meters
        <select value={share} onChange={(event) => setShare(Number(event.currentTarget.value))}>
          {SHARES.map(({ value, name }) => (
            <option key={value} value={value}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <label>
        Begins
        <select value={start} onChange={(event) => setStart(event.currentTarget.value as Start)}>
          <option value="latest">with the latest interval</option>
          <option value="earlier">{EARLIER_HOURS} hours before it</option>
          <option value="now">now</option>
        </select>
      </label>
      <label>
        Lasts
        <select value={minutes} onChange={(event) => setMinutes(Number(event.currentTarget.value))}>
          {DURATIONS.map((one) => (
            <option key={one} value={one}>
              {one < 60 ? `${one} minutes` : one === 60 ? '1 hour' : `${one / 60} hours`}
            </option>
          ))}
        </select>
      </label>
      {type === 'comms-outage' && (
        <label>
          Reads
          <select
            value={delivery}
            onChange={(event) => setDelivery(event.currentTarget.value as 'lost' | 'late')}
          >
            <option value="lost">are lost</option>
            <option value="late">arrive after it</option>
          </select>
        </label>
      )}
      <button type="submit" class="primary" disabled={isSending || feederId === ''}>
        {isSending ? 'Posting…' : `Inject ${looksOf(type).name.toLowerCase()}`}
      </button>
      <p class="quiet wide">
        {type === 'comms-outage'
          ? `What has arrived stays: an outage shows in the interval that is published next.${delivery === 'late' ? ' Once it is over its meters deliver what they kept, and completeness heals.' : ''}`
          : 'The latest interval of this feeder is written anew at once; later ones carry the event too.'}
      </p>
    </form>
  );
}
