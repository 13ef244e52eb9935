import type { EnergyChannel } from '../intervalFiles.js';
import { espiQuality, type ReadQuality, VALIDATED } from '../quality.js';

/** The links of an Atom entry: what it is called, what it belongs to, what belongs to it. */
export interface Links {
  self: string;
  up: string;
  related: string[];
}

/** A ReadingType as far as it says what its values are; numbers as the file writes them. */
export interface ReadingType {
  uom?: string;
  powerOfTenMultiplier?: string;
  flowDirection?: string;
  accumulationBehaviour?: string;
  defaultQuality?: string;
  /** Seconds. */
  intervalLength?: string;
}

/** What the values of one IntervalBlock are. */
export interface BlockMeaning {
  meterId: string;
  /** Undefined where they are no electric energy of one direction; `what` then says what they are. */
  channel: EnergyChannel | undefined;
  what: string;
  /** Power of ten that makes them kWh. */
  power: number;
  /** Of readings that have none of their own. */
  quality: ReadQuality;
  type: ReadingType;
}

interface MeterReading extends Links {
  /** Some senders put it inside. */
  nestedType?: ReadingType;
}
interface UsagePoint extends Links {
  /** ServiceCategory.kind; 0 is electricity. */
  serviceKind: string;
  title: string;
}

/** ESPI's codes (ESPI 4.0, `espi.xsd`): UnitSymbol, FlowDirectionKind, AccumulationKind, ServiceKind. */
const WATT_HOURS = '72';
const WATT_HOURS_TO_KWH = -3;
const CHANNELS: Record<string, EnergyChannel> = { 1: 'kwh', 19: 'receivedKwh' };
const DELTA_DATA = '4';
const ELECTRICITY = '0';

/** The entries of a feed that say what its blocks are, and how they hang together. */
export class EspiStructure {
  readonly #points = new Wholes<UsagePoint>('MeterReading');
  readonly #readings = new Wholes<MeterReading>('IntervalBlock');
  readonly #types = new Map<string, ReadingType>();
  readonly #meanings = new Map<string, BlockMeaning>();

  addPoint(links: Links, serviceKind: string, title: string): void {
    this.#points.add({ ...links, serviceKind, title });
  }

  addReading(links: Links, nestedType: ReadingType | undefined): void {
    this.#readings.add({ ...links, ...(nestedType ? { nestedType } : {}) });
  }

  addType(links: Links, type: ReadingType): void {
    this.#types.set(links.self, type);
  }

  /** @returns undefined where an entry that says it is not there, or not yet. */
  meaningOf(block: Links): BlockMeaning | undefined {
    const known = this.#meanings.get(block.up);
    if (known) return known;
    const reading = this.#readings.of(block);
    const point = reading && this.#points.of(reading);
    const type = reading && (reading.nestedType ?? this.#typeOf(reading));
    if (point === undefined || type === undefined) return undefined;
    const meaning = meaningFrom(point, type);
    if (block.up !== '') this.#meanings.set(block.up, meaning);
    return meaning;
  }

  /** By equality: a type whose number begins with another's is not that other. */
  #typeOf({ related }: MeterReading): ReadingType | undefined {
    return related.map((link) => this.#types.get(link)).find((type) => type !== undefined);
  }
}

/**
 * Entries by the links that lead to them. `related` names the collection or the entry itself: the Green Button Alliance's own
 * samples do either. Kept by link, since a file of 5,000 meters would else compare each with all.
 */
class Wholes<T extends Links> {
  readonly #entries: T[] = [];
  /** The first entry of each, by its place. */
  readonly #byRelated = new Map<string, number>();
  readonly #byCollection = new Map<string, number>();

  constructor(private readonly collection: string) {}

  add(entry: T): void {
    const place = this.#entries.push(entry) - 1;
    for (const link of entry.related) if (!this.#byRelated.has(link)) this.#byRelated.set(link, place);
    const ofParts = `${entry.self}/${this.collection}`;
    if (!this.#byCollection.has(ofParts)) this.#byCollection.set(ofParts, place);
  }

  /** The first entry that `part` belongs to. */
  of({ up, self }: Links): T | undefined {
    const places = [
      up === '' ? undefined : this.#byRelated.get(up),
      up === '' ? undefined : this.#byCollection.get(up),
      self === '' ? undefined : this.#byRelated.get(self),
    ].filter((place) => place !== undefined);
    return places.length === 0 ? undefined : this.#entries[Math.min(...places)];
  }
}

function meaningFrom(point: UsagePoint, type: ReadingType): BlockMeaning {
  const {
    uom = '',
    powerOfTenMultiplier = '0',
    flowDirection = '1',
    accumulationBehaviour = DELTA_DATA,
  } = type;
  const kept = {
    meterId: meterIdOf(point),
    power: Number(powerOfTenMultiplier) + WATT_HOURS_TO_KWH,
    quality: espiQuality(Number(type.defaultQuality ?? 0)) ?? VALIDATED,
    type,
  };
  const left = (what: string): BlockMeaning => ({ ...kept, channel: undefined, what });
  if (point.serviceKind !== ELECTRICITY) return left(`service kind ${point.serviceKind}`);
  if (uom !== WATT_HOURS) return left(`unit ${uom || 'not given'}`);
  if (accumulationBehaviour !== DELTA_DATA) return left(`accumulation ${accumulationBehaviour}`);
  const channel = CHANNELS[flowDirection];
  return channel ? { ...kept, channel, what: 'energy' } : left(`flow direction ${flowDirection}`);
}

/** The point's title where it has one, which utilities use for the meter's number; else the path of its resource. */
function meterIdOf({ title, self }: UsagePoint): string {
  return title.trim() || self.replace(/^.*\/resource\//, '');
}
