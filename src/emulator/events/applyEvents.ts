import type { IntervalMinutes } from '../../contracts/limits.js';
import { createRandomness, type Randomness, STREAM, subjectOf } from '../chance/random.js';
import { QUARTER_HOUR_MS } from '../customers/localTime.js';
import { voltageFlags } from '../grid/qualityFlags.js';
import { emptyColumns, type ReadColumns } from '../reads.js';
import { type SelectionScene, selectedMeters } from './eventSelection.js';
import { type FeederEvent, type FeederEventType, isLateOutage } from './feederEvent.js';
import { type LocalDay, localDay } from './localDay.js';
import { isStolenFrom, looksAtTheDay, registeredKwh, type Theft } from './theftForms.js';
import type { UnstolenUse } from './unstolenUse.js';

/** Which reads events are applied to: one tenant's, at one `readAt`. */
export interface EventScene extends SelectionScene {
  /** Start of the interval, aligned. */
  readAt: Date;
  /** Of reads that outages have held back and that are delivered now. */
  late?: LateDelivery;
  /** Minutes of the interval and whose days it is in: 15 and UTC unless said. Forms of theft that look at a day depend on it. */
  intervalMinutes?: IntervalMinutes;
  timeZone?: string;
  /** The meters' other intervals, for the forms of theft that look at them. */
  use?: UnstolenUse;
}

/** A delivery of what outages have held back. */
export interface LateDelivery {
  /** The instant of the delivery: an outage that is over by then holds nothing back any more. */
  asOf: Date;
  /** The outages under way then, whether or not they overlap the reads' interval: their meters cannot deliver yet. */
  underWay: readonly FeederEvent[];
}

/** Voltage of a sag, volts: from just below range A at severity 0 down to 90 at severity 1 (D17: 90–114). */
const SAG = { top: 114, depth: 24, min: 90, max: 113.9 } as const;
/** How far meters and intervals differ within one sag, volts to either side. */
const SAG_SPREAD = 0.5;

/**
 * Applies events to generated reads. Pure, and the same for a read whatever batch it comes in.
 *
 * - theft: what is registered changes as `theftForms.ts` has it, by the product of all (1 − severity) unless a theft has another
 *   form; what is delivered stays.
 * - comms-outage: the read is missing, with the probability 1 − Π(1 − severity): outages are independent. In a late delivery
 *   only outages that lose reads, and those that are not over, count.
 * - voltage-sag: the deepest sag wins, unless the voltage is lower without it.
 *
 * @param events those that overlap the reads' interval; events of other feeders are ignored.
 * @returns the same columns where no event concerns them, else new ones.
 * @throws Error where a theft's form looks at a whole day and the scene has no `use`.
 */
export function applyEvents(
  columns: ReadColumns,
  events: readonly FeederEvent[],
  scene: EventScene,
): ReadColumns {
  if (events.length === 0) return columns;
  const feeders = new Set(columns.feederIds);
  const effects = new Map<string, FeederEffects>();
  for (const [feeder, ofFeeder] of byFeeder(events)) {
    if (feeders.has(feeder)) effects.set(feeder, feederEffects(ofFeeder, scene));
  }
  if (effects.size === 0) return columns;
  for (const [feeder, effect] of effects)
    effect.prepare(columns.meterIds.filter((_, index) => columns.feederIds[index] === feeder));

  const applied = emptyColumns();
  if (columns.receivedKwh !== undefined) applied.receivedKwh = [];
  columns.meterIds.forEach((meterId, index) => {
    const feeder = columns.feederIds[index] as string;
    const effect = effects.get(feeder);
    if (effect?.skips(meterId)) return;
    const kwh = columns.kwh[index] as number;
    const volts = columns.voltage[index] as number;
    const sagged = Math.min(volts, effect?.sagVolts(meterId) ?? volts);
    applied.meterIds.push(meterId);
    applied.feederIds.push(feeder);
    applied.kwh.push(effect ? Math.round(effect.registeredKwh(meterId, kwh) * 10_000) / 10_000 : kwh);
    applied.deliveredKwh.push(columns.deliveredKwh[index] as number);
    applied.voltage.push(sagged);
    applied.receivedKwh?.push(columns.receivedKwh?.[index] ?? null);
    applied.qualityFlags.push(
      sagged === volts
        ? (columns.qualityFlags[index] as ReadColumns['qualityFlags'][number])
        : voltageFlags(sagged),
    );
  });
  return applied;
}

/** Tells whether a meter's read at the scene's `readAt` is missing because of these events of its feeder. */
export function skippedReads(
  events: readonly FeederEvent[],
  scene: EventScene,
): (meterId: string) => boolean {
  return feederEffects(events, scene).skips;
}

/**
 * Tells whether a theft changes what a meter registers at the scene's `readAt`: the truth that detectors are held against. Of a
 * `window` it does so for a part of each day alone.
 */
export function stolenReads(events: readonly FeederEvent[], scene: EventScene): (meterId: string) => boolean {
  return feederEffects(events, scene).isStolenFrom;
}

/**
 * Tells which outages hold a meter's read back, by their ids: none where it arrives or is lost. A read that one outage loses is
 * lost, whatever others would deliver.
 */
export function heldBackReads(
  events: readonly FeederEvent[],
  scene: EventScene,
): (meterId: string) => readonly string[] {
  return feederEffects(events, scene).heldBy;
}

/** What the events of one feeder do to one meter's read. */
interface FeederEffects {
  registeredKwh(meterId: string, kwh: number): number;
  isStolenFrom(meterId: string): boolean;
  /** Makes the days of these meters that thefts look at, together. */
  prepare(meterIds: readonly string[]): void;
  skips(meterId: string): boolean;
  heldBy(meterId: string): readonly string[];
  /** Undefined without a sag. */
  sagVolts(meterId: string): number | undefined;
}

function feederEffects(events: readonly FeederEvent[], scene: EventScene): FeederEffects {
  const random = createRandomness(scene.seed, scene.tenantId);
  const slot = scene.readAt.getTime() / QUARTER_HOUR_MS;
  const robbery = robberyOf(events, random, scene);
  const sags = selections(events, 'voltage-sag', scene);
  const holding = events.filter((event) => isLateOutage(event) && isStillOut(event, scene));
  const losing = events.filter((event) => event.eventType === 'comms-outage' && !isLateOutage(event));
  const lost = selections(losing, 'comms-outage', scene);
  const outages = selections([...losing, ...holding], 'comms-outage', scene);
  const held = selections(holding, 'comms-outage', scene);
  const underWay = selections(scene.late?.underWay ?? [], 'comms-outage', scene);
  /** Whether outages keep the read of a slot away. One draw for all of them: whoever is kept away by few is so by more. */
  const isKeptAway = (by: readonly Selection[], meterId: string, at: number): boolean => {
    const reports = untouchedShare(by, meterId);
    return reports < 1 && random.uniform(STREAM.commsOutage, subjectOf(meterId), at) < 1 - reports;
  };
  const idsOf = (by: readonly Selection[], meterId: string): string[] =>
    by.filter((one) => one.includes(meterId)).map(({ id }) => id);
  const slotNow = Math.floor((scene.late?.asOf ?? scene.readAt).getTime() / QUARTER_HOUR_MS);
  const heldBy = (meterId: string): readonly string[] => {
    if (isKeptAway(lost, meterId, slot)) return [];
    const ids = isKeptAway(outages, meterId, slot) ? idsOf(held, meterId) : [];
    const isSilent = isKeptAway(underWay, meterId, slotNow);
    return isSilent ? [...new Set([...ids, ...idsOf(underWay, meterId)])] : ids;
  };
  return {
    registeredKwh: (meterId, kwh) => robbery.registered(meterId, kwh),
    isStolenFrom: (meterId) => robbery.isUnderWay(meterId),
    prepare: (meterIds) => robbery.prepare(meterIds),
    skips: (meterId) =>
      isKeptAway(outages, meterId, slot) || (underWay.length > 0 && isKeptAway(underWay, meterId, slotNow)),
    heldBy,
    sagVolts(meterId) {
      // Selections are in the order of severity, so the severest comes last.
      const deepest = sags.findLast((sag) => sag.includes(meterId));
      return deepest && sagVoltage(random, deepest.severity, meterId, slot);
    },
  };
}

/** Thefts of one feeder in one interval. */
function robberyOf(events: readonly FeederEvent[], random: Randomness, scene: EventScene) {
  const thefts = selections(events, 'theft', scene);
  const slot = scene.readAt.getTime() / QUARTER_HOUR_MS;
  let found: LocalDay | undefined;
  const day = (): LocalDay => {
    found ??= localDay(scene.timeZone ?? 'UTC', slot, scene.intervalMinutes ?? 15);
    return found;
  };
  const theftsOf = (meterId: string): Theft[] => thefts.filter((theft) => theft.includes(meterId));
  const feeder = events[0]?.feederId ?? '';
  const kwhOfDay = (meterId: string): Readonly<Float64Array> => {
    if (!scene.use) throw new Error(`a theft on ${feeder} looks at a whole day, and the scene has no use`);
    return scene.use.kwhOfDay(feeder, meterId, day());
  };
  return {
    prepare(meterIds: readonly string[]): void {
      if (!looksAtTheDay(thefts)) return;
      scene.use?.expect(
        feeder,
        meterIds.filter((meterId) => looksAtTheDay(theftsOf(meterId))),
        day(),
      );
    },
    registered: (meterId: string, kwh: number): number =>
      registeredKwh(theftsOf(meterId), {
        ...{ meterId, slot, kwh, random, day },
        kwhOfDay: () => kwhOfDay(meterId),
      }),
    isUnderWay: (meterId: string): boolean =>
      theftsOf(meterId).some((theft) => isStolenFrom(theft, { meterId, slot, random, day })),
  };
}

/** Whether an outage keeps reads away: it always does, but from a delivery after its end. */
function isStillOut({ endAt }: FeederEvent, { late }: EventScene): boolean {
  return late === undefined || endAt > late.asOf;
}

interface Selection extends Theft {
  id: string;
  includes(meterId: string): boolean;
}

/** Sorted by severity and form, so that a product of three does not depend on the order in which events were read. */
function selections(
  events: readonly FeederEvent[],
  eventType: FeederEventType,
  scene: EventScene,
): Selection[] {
  return events
    .filter((event) => event.eventType === eventType)
    .sort((a, b) => a.severity - b.severity || ((a.form ?? '') < (b.form ?? '') ? -1 : 1))
    .map((event) => {
      const { id, severity, form, meterIds, meterFraction } = event;
      const one = { id, severity, form: form ?? 'constant' };
      if (meterIds === null && meterFraction === null) return { ...one, includes: () => true };
      const chosen = new Set(meterIds ?? selectedMeters(event, scene));
      return { ...one, includes: (meterId) => chosen.has(meterId) };
    });
}

/** Π(1 − severity) over the selections that include the meter. */
function untouchedShare(selected: readonly Selection[], meterId: string): number {
  return selected.reduce((share, one) => (one.includes(meterId) ? share * (1 - one.severity) : share), 1);
}

function sagVoltage(random: Randomness, severity: number, meterId: string, slot: number): number {
  const spread = SAG_SPREAD * (2 * random.uniform(STREAM.sagDepth, subjectOf(meterId), slot) - 1);
  const volts = Math.round((SAG.top - SAG.depth * severity + spread) * 10) / 10;
  return Math.min(SAG.max, Math.max(SAG.min, volts));
}

function byFeeder(events: readonly FeederEvent[]): Map<string, FeederEvent[]> {
  const groups = new Map<string, FeederEvent[]>();
  for (const event of events) {
    const group = groups.get(event.feederId);
    if (group) group.push(event);
    else groups.set(event.feederId, [event]);
  }
  return groups;
}
