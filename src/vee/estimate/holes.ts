import { type Gap, gapsOf } from '../rules/gaps.js';
import { endOf, isMeasurable, type MeterSpan, type Part, type SpanRead } from '../rules/meterSpan.js';

/** A time that has to be estimated: intervals without a read, or whose reads are in question. */
export interface Hole extends Gap {
  /** The measured reads right before and behind it, of the same length; undefined where there is none. */
  left: SpanRead | undefined;
  right: SpanRead | undefined;
}

/** Whether somebody has measured a read: none that is estimated or in question, and none that no meter can measure. */
export const isMeasured = ({ quality, kwh }: SpanRead): boolean =>
  quality !== 'estimated' && quality !== 'questionable' && isMeasurable(kwh);

/**
 * Where a meter has to be estimated, gaps and failed reads that touch as one. A read that is estimated already stays.
 *
 * @param span wider than what is estimated, so that holes are seen whole.
 */
export function holesOf(meter: MeterSpan, span: Part): Hole[] {
  const failed = meter.reads
    .filter(({ quality }) => quality === 'questionable')
    .map((read): Gap => ({ from: read.at, to: endOf(read), minutes: read.minutes }));
  const pieces = [...gapsOf(meter, span), ...failed].sort((a, b) => a.from - b.from);
  const joined: Gap[] = [];
  for (const piece of pieces) {
    const last = joined.at(-1);
    if (last !== undefined && last.to === piece.from && last.minutes === piece.minutes) last.to = piece.to;
    else joined.push({ ...piece });
  }
  const measured = meter.reads.filter(isMeasured);
  return joined.map((hole) => ({
    ...hole,
    left: measured.find((read) => endOf(read) === hole.from && read.minutes === hole.minutes),
    right: measured.find((read) => read.at === hole.to && read.minutes === hole.minutes),
  }));
}
