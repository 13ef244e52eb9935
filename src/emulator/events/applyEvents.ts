import { createRandomness, type Randomness, STREAM, subjectOf } from '../chance/random.js';
import { QUARTER_HOUR_MS } from '../customers/localTime.js';
import { voltageFlags } from '../grid/qualityFlags.js';
import { emptyColumns, type ReadColumns } from '../reads.js';
import { type SelectionScene, selectedMeters } from './eventSelection.js';
import { type FeederEvent, type FeederEventType, isLateOutage } from './feederEvent.js';

/** Which reads events are applied to: one tenant's, at one `readAt`. */
export interface EventScene extends SelectionScene {
  /** Start of the interval, aligned. */
  readAt: Date;
  /** Of reads that outages have held back and that are delivered now. */
  late?: LateDelivery;
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
 * - theft: registered energy is multiplied by the product of all (1 − severity); what is delivered stays.
 * - comms-outage: the read is missing, with the probability 1 − Π(1 − severity): outages are independent. In a late delivery
 *   only outages that lose reads, and those that are not over, count.
 * - voltage-sag: the deepest sag wins, unless the voltage is lower without it.
 *
 * @param events those that overlap the reads' interval; events of other feeders are ignored.
 * @returns the same columns where no event concerns them, else new ones.
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
    applied.kwh.push(effect ? Math.round(kwh * effect.registeredShare(meterId) * 10_000) / 10_000 : kwh);
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
  registeredShare(meterId: string): number;
  skips(meterId: string): boolean;
  heldBy(meterId: string): readonly string[];
  /** Undefined without a sag. */
  sagVolts(meterId: string): number | undefined;
}

function feederEffects(events: readonly FeederEvent[], scene: EventScene): FeederEffects {
  const random = createRandomness(scene.seed, scene.tenantId);
  const slot = scene.readAt.getTime() / QUARTER_HOUR_MS;
  const thefts = selections(events, 'theft', scene);
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
    registeredShare: (meterId) => untouchedShare(thefts, meterId),
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

/** Whether an outage keeps reads away: it always does, but from a delivery after its end. */
function isStillOut({ endAt }: FeederEvent, { late }: EventScene): boolean {
  return late === undefined || endAt > late.asOf;
}

interface Selection {
  id: string;
  severity: number;
  includes(meterId: string): boolean;
}

/** Sorted by severity, so that a product of three does not depend on the order in which events were read. */
function selections(
  events: readonly FeederEvent[],
  eventType: FeederEventType,
  scene: EventScene,
): Selection[] {
  return events
    .filter((event) => event.eventType === eventType)
    .sort((a, b) => a.severity - b.severity)
    .map((event) => {
      if (event.meterIds === null && event.meterFraction === null)
        return { id: event.id, severity: event.severity, includes: () => true };
      const chosen = new Set(event.meterIds ?? selectedMeters(event, scene));
      return { id: event.id, severity: event.severity, includes: (meterId) => chosen.has(meterId) };
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
