import { dateTime, interval, relative, time, utc } from '../core/format.js';
import { useNow } from './useNow.js';

const ms = (at: string | number): number => (typeof at === 'number' ? at : Date.parse(at));

/** An instant in the reader's zone, with UTC on hover. */
export function Instant({ at, as = 'date' }: { at: string | number; as?: 'date' | 'time' | 'relative' }) {
  const now = useNow();
  const instant = ms(at);
  const words = {
    date: () => dateTime(instant, now),
    time: () => time(instant),
    relative: () => relative(instant, now),
  }[as]();
  return (
    <time dateTime={new Date(instant).toISOString()} title={utc(instant)}>
      {words}
    </time>
  );
}

/** An interval by start and end in the reader's zone, with UTC on hover. */
export function Interval({ start, end }: { start: string | number; end: string | number }) {
  const [from, to] = [ms(start), ms(end)];
  return (
    <time dateTime={new Date(from).toISOString()} title={`${utc(from)} to ${utc(to)}`}>
      {interval(from, to, useNow())}
    </time>
  );
}
