/** What canvases of this page have in common: their marks for events, and the labels of time. */
import { type EventType, looksOf, type Spanned } from '../core/events.js';
import { date, time } from '../core/format.js';
import { colour } from '../data/theme.js';

export interface EventMark extends Spanned {
  id: string;
  feederId?: string;
  eventType: EventType;
}

/** Height of a lane of marks, CSS pixels. */
export const LANE = 18;
export const FONT = '11px system-ui, sans-serif';

export const eventColour = (type: EventType): string => colour(`event-${type}`) || colour('quiet');

/** A bar with its letter, and the feeder where there is room: as wide as the event, but wide enough to be seen. */
export function drawMark(
  canvas: CanvasRenderingContext2D,
  { eventType: type, feederId }: EventMark,
  { left, right, top, height }: { left: number; right: number; top: number; height: number },
  scale: number,
): void {
  const width = Math.max(right - left, 14 * scale);
  canvas.fillStyle = eventColour(type);
  canvas.beginPath();
  canvas.roundRect(left, top, width, height, 3 * scale);
  canvas.fill();
  canvas.fillStyle = colour('event-ink');
  canvas.font = `bold ${11 * scale}px system-ui, sans-serif`;
  canvas.textAlign = 'left';
  canvas.textBaseline = 'middle';
  const { letter } = looksOf(type);
  const whole = `${letter} ${feederId ?? ''}`;
  const fits = canvas.measureText(whole).width < width - 8 * scale;
  canvas.fillText(fits ? whole : letter, left + 4 * scale, top + height / 2 + 0.5 * scale);
}

/** A time on an axis: the date where a day begins or days are told apart, else the hour. */
export function axisLabel(at: number, now: number, stepMs: number): string {
  const hour = time(at);
  return hour === '00:00' || stepMs >= 86_400_000 ? date(at, now) : hour;
}

const NICE_STEPS = [900_000, 1_800_000, 3_600_000, 7_200_000, 10_800_000, 21_600_000, 43_200_000, 86_400_000];

/** Times for labels, on round hours of the reader's zone, at most `most` of them. */
export function axisTimes(from: number, to: number, most: number): { times: number[]; stepMs: number } {
  const day = 86_400_000;
  const wanted = (to - from) / Math.max(1, most);
  const stepMs = NICE_STEPS.find((step) => step >= wanted) ?? Math.ceil(wanted / day) * day;
  const offset = new Date(from).getTimezoneOffset() * 60_000;
  const first = Math.ceil((from - offset) / stepMs) * stepMs + offset;
  const times: number[] = [];
  for (let at = first; at < to; at += stepMs) times.push(at);
  return { times, stepMs };
}
