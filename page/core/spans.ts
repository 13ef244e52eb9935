/** Spans of time that views show: the last hours or days, or from one instant to another. */

const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
export const QUARTER_HOUR = 15 * MINUTE;

/** What the reader can choose, by the name that stands in the address. */
export const LASTING = { '6h': 6 * HOUR, '24h': DAY, '3d': 3 * DAY, '7d': 7 * DAY, '30d': 30 * DAY } as const;
export type Lasting = keyof typeof LASTING;
export const LASTING_WORDS: Record<Lasting, string> = {
  '6h': '6 hours',
  '24h': '24 hours',
  '3d': '3 days',
  '7d': '7 days',
  '30d': '30 days',
};
export const DEFAULT_LASTING: Lasting = '24h';
/** The API answers no longer ones for a meter. */
export const LONGEST = 35 * DAY;

/** Either the last so-and-so long, which moves with the clock, or fixed, in ms. */
export type SpanChoice = { last: Lasting } | { from: number; to: number };

/** Half-open, in ms. */
export interface Span {
  from: number;
  to: number;
}

/** The span of a choice: one that moves ends with the running quarter hour, so that it changes four times an hour. */
export function spanOf(choice: SpanChoice, now: number): Span {
  if (!('last' in choice)) return choice;
  const to = (Math.floor(now / QUARTER_HOUR) + 1) * QUARTER_HOUR;
  return { from: to - LASTING[choice.last], to };
}

/** The span before or after, as long as this one; back to the one that moves where it would reach the present. */
export function stepped(choice: SpanChoice, direction: -1 | 1, now: number): SpanChoice {
  const { from, to } = spanOf(choice, now);
  const length = to - from;
  const moved = { from: from + direction * length, to: to + direction * length };
  if (moved.to <= now) return moved;
  const known = (Object.keys(LASTING) as Lasting[]).find((name) => LASTING[name] === length);
  return { last: known ?? DEFAULT_LASTING };
}

/** A choice as it stands in an address. */
export function spanToQuery(choice: SpanChoice): Record<string, string> {
  if ('last' in choice) return choice.last === DEFAULT_LASTING ? {} : { span: choice.last };
  return { from: new Date(choice.from).toISOString(), to: new Date(choice.to).toISOString() };
}

/** The choice of an address; what cannot be read is the default. */
export function spanFromQuery(query: URLSearchParams): SpanChoice {
  const last = query.get('span');
  if (last !== null && last in LASTING) return { last: last as Lasting };
  const [from, to] = [Date.parse(query.get('from') ?? ''), Date.parse(query.get('to') ?? '')];
  if (from < to && to - from <= LONGEST) return { from, to };
  return { last: DEFAULT_LASTING };
}
