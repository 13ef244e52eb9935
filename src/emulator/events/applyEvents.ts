import { createRandomness, type Randomness, STREAM, subjectOf } from '../chance/random.js';
import { QUARTER_HOUR_MS } from '../customers/localTime.js';
import { voltageFlags } from '../grid/qualityFlags.js';
import { emptyColumns, type ReadColumns } from '../reads.js';
import { type SelectionScene, selectedMeters } from './eventSelection.js';
import type { FeederEvent, FeederEventType } from './feederEvent.js';

/** Which reads events are applied to: one tenant's, at one `readAt`. */
export interface EventScene extends SelectionScene {
  /** Start of the interval, aligned. */
  readAt: Date;
}

/** Voltage of a sag, volts: from just below range A at severity 0 down to 90 at severity 1 (D17: 90–114). */
const SAG = { top: 114, depth: 24, min: 90, max: 113.9 } as const;
/** How far meters and intervals differ within one sag, volts to either side. */
const SAG_SPREAD = 0.5;

/**
 * Applies events to generated reads. Pure, and the same for a read whatever batch it comes in.
 *
 * - theft: registered energy is multiplied by the product of all (1 − severity); what is delivered stays.
 * - comms-outage: the read is missing, with the probability 1 − Π(1 − severity): outages are independent.
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

/** What the events of one feeder do to one meter's read. */
interface FeederEffects {
  registeredShare(meterId: string): number;
  skips(meterId: string): boolean;
  /** Undefined without a sag. */
  sagVolts(meterId: string): number | undefined;
}

function feederEffects(events: readonly FeederEvent[], scene: EventScene): FeederEffects {
  const random = createRandomness(scene.seed, scene.tenantId);
  const slot = scene.readAt.getTime() / QUARTER_HOUR_MS;
  const thefts = selections(events, 'theft', scene);
  const outages = selections(events, 'comms-outage', scene);
  const sags = selections(events, 'voltage-sag', scene);
  return {
    registeredShare: (meterId) => untouchedShare(thefts, meterId),
    skips(meterId) {
      const reports = untouchedShare(outages, meterId);
      return reports < 1 && random.uniform(STREAM.commsOutage, subjectOf(meterId), slot) < 1 - reports;
    },
    sagVolts(meterId) {
      // Selections are in the order of severity, so the severest comes last.
      const deepest = sags.findLast((sag) => sag.includes(meterId));
      return deepest && sagVoltage(random, deepest.severity, meterId, slot);
    },
  };
}

interface Selection {
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
        return { severity: event.severity, includes: () => true };
      const chosen = new Set(event.meterIds ?? selectedMeters(event, scene));
      return { severity: event.severity, includes: (meterId) => chosen.has(meterId) };
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
