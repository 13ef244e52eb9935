import type { TheftForm } from '../../contracts/eventRequest.js';
import { type Randomness, STREAM, subjectOf } from '../chance/random.js';
import type { LocalDay } from './localDay.js';

/**
 * What a meter that is stolen from registers, in the six forms of Jokar, Arianpoo and Leung, "Electricity theft detection in AMI
 * using customers' consumption patterns", IEEE Transactions on Smart Grid 7 (2016) 216–226. There x is a day of one customer:
 *
 *     constant     h1(x) = α x             random       h3(x) = γ(t) x
 *     window       h2(x) = β(t) x          mean-factor  h4(x) = γ(t) mean(x)
 *     mean         h5(x) = mean(x)         reversed     h6(x) = x of the day read backwards
 *
 * Severity stands for the paper's draws: α is 1 − severity; γ(t) is uniform around 1 − severity, and at severity 0.55 the paper's
 * 0.1 to 0.8; β(t) is zero for that share of the day. Of `mean` and `reversed` it says nothing. A day is one of the local clock.
 */

/** Half the width of γ, where neither 0 nor 1 is nearer. */
const SPREAD = 0.35;

/** One theft from a meter. */
export interface Theft {
  severity: number;
  form: TheftForm;
}

/** A meter in one interval, and where its other intervals of the day are to be had. */
export interface RobbedRead {
  meterId: string;
  slot: number;
  /** Energy of the interval that the meter would have registered, kWh. */
  kwh: number;
  random: Randomness;
  /** Asked for by the forms of a day alone. */
  day(): LocalDay;
  /** What the meter would have registered in each interval of `day`, kWh. */
  kwhOfDay(): Readonly<Float64Array>;
}

/**
 * What the meter registers under all of these thefts together, kWh, not rounded. A mean takes the place of a reversed day, and
 * factors multiply whichever there is: the order of the thefts does not matter.
 *
 * @param thefts by severity and form, so that a product of three is always the same.
 */
export function registeredKwh(thefts: readonly Theft[], read: RobbedRead): number {
  const [first] = thefts;
  if (first === undefined) return read.kwh;
  return base(thefts, read) * thefts.reduce((share, theft) => share * factor(theft, read), 1);
}

/** Whether what a meter registers under these thefts depends on the rest of its day. */
export function looksAtTheDay(thefts: readonly Pick<Theft, 'form'>[]): boolean {
  return thefts.some(({ form }) => form === 'mean' || form === 'mean-factor' || form === 'reversed');
}

/** Whether a theft is under way in this very interval: a window's is so for a part of the day alone. */
export function isStolenFrom(
  { form, severity }: Theft,
  read: Pick<RobbedRead, 'meterId' | 'slot' | 'random' | 'day'>,
): boolean {
  return form !== 'window' || isInWindow(severity, read);
}

function base(thefts: readonly Theft[], read: RobbedRead): number {
  if (thefts.some(({ form }) => form === 'mean' || form === 'mean-factor')) {
    const day = read.kwhOfDay();
    return day.reduce((sum, kwh) => sum + kwh, 0) / day.length;
  }
  if (!thefts.some(({ form }) => form === 'reversed')) return read.kwh;
  const { slots, index } = read.day();
  return read.kwhOfDay()[slots.length - 1 - index] as number;
}

function factor({ form, severity }: Theft, read: RobbedRead): number {
  if (form === 'constant') return 1 - severity;
  if (form === 'random') return drawnShare(severity, STREAM.theftShare, read);
  if (form === 'mean-factor') return drawnShare(severity, STREAM.theftShareOfMean, read);
  if (form === 'window') return isInWindow(severity, read) ? 0 : 1;
  return 1;
}

function drawnShare(severity: number, stream: number, { random, meterId, slot }: RobbedRead): number {
  const spread = Math.min(SPREAD, severity, 1 - severity);
  return 1 - severity + spread * (2 * random.uniform(stream, subjectOf(meterId), slot) - 1);
}

/** One window a day and meter, somewhere in the day. */
function isInWindow(
  severity: number,
  { random, meterId, day }: Pick<RobbedRead, 'random' | 'meterId' | 'day'>,
): boolean {
  const { slots, index } = day();
  const length = Math.max(1, Math.round(severity * slots.length));
  const draw = random.uniform(STREAM.theftWindow, subjectOf(meterId), slots[0] as number);
  const from = Math.floor(draw * (slots.length - length + 1));
  return index >= from && index < from + length;
}
