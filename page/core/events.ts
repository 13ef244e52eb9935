/** Injected events, as charts and lists show them. */
export const EVENT_TYPES = ['theft', 'comms-outage', 'voltage-sag'] as const;
export type EventType = (typeof EVENT_TYPES)[number];

interface EventLooks {
  name: string;
  letter: string;
  severity: string;
}

/** A letter each beside the colour: nobody has to tell events by colour. */
const EVENT_LOOKS: Record<EventType, EventLooks> = {
  theft: { name: 'Theft', letter: 'T', severity: 'of the energy is not registered' },
  'comms-outage': { name: 'Comms outage', letter: 'O', severity: 'of the reads are missing' },
  'voltage-sag': { name: 'Voltage sag', letter: 'S', severity: 'of the way from 114 V down to 90 V' },
};

/** A customer's own `ami_events` may hold types that GridLens knows nothing of: these show by their name. */
export function looksOf(type: string): EventLooks {
  return EVENT_LOOKS[type as EventType] ?? { name: type, letter: '•', severity: 'severity' };
}

/** What severity means for a type, in words: `80 % of the energy is not registered`. */
export function severityWords(type: EventType, severity: number): string {
  if (type === 'voltage-sag') return `down to about ${Math.round((114 - 24 * severity) * 10) / 10} V`;
  return `${Math.round(severity * 100)} % ${looksOf(type).severity}`;
}

export interface Spanned {
  startAt: string;
  endAt: string;
}

/** Those that touch a half-open span, in ms. */
export function eventsWithin<T extends Spanned>(events: readonly T[], from: number, to: number): T[] {
  return events.filter(({ startAt, endAt }) => Date.parse(startAt) < to && Date.parse(endAt) > from);
}

/**
 * Lanes for marks that may overlap: each event gets the first lane that is free when it begins.
 *
 * @returns the lane of each event, in the order given, and how many there are.
 */
export function lanesOf(events: readonly Spanned[]): { lanes: number[]; count: number } {
  const order = events.map((event, index) => ({
    index,
    from: Date.parse(event.startAt),
    to: Date.parse(event.endAt),
  }));
  order.sort((a, b) => a.from - b.from);
  const ends: number[] = [];
  const lanes = new Array<number>(events.length).fill(0);
  for (const { index, from, to } of order) {
    const free = ends.findIndex((end) => end <= from);
    const lane = free < 0 ? ends.length : free;
    ends[lane] = to;
    lanes[index] = lane;
  }
  return { lanes, count: ends.length };
}
