import { z } from 'zod';
import { invalidField } from './errors.js';
import { type Climate, climate, DEFAULT_CLIMATE } from './place.js';
import { DEFAULT_PLACE, PLACE_NAMES, type Place } from './places.js';

/** What a fleet's reads are made by, beside its seed: it is part of what makes an interval the same interval. */

/** Versions of the customers. Each stays as it is, since a revision must give the reads of an old interval again. */
export const MODELS = [1, 2, 3] as const;
export type Model = (typeof MODELS)[number];
/** A model whose customers live in a place; the others have a climate. */
export type PlaceModel = Exclude<Model, 1>;

/** Whether the customers of a model live in a place. */
export const hasPlace = (model: Model | undefined): model is PlaceModel => model !== undefined && model > 1;

/** The model of a tenant that has never run. */
export const DEFAULT_MODEL: Model = 1;
/** The model of a place where a tenant has never run with another. */
export const DEFAULT_PLACE_MODEL: PlaceModel = 3;
/** The model of whatever was published before there was a choice. */
export const FIRST_MODEL: Model = 1;

/** What stands behind the meters, as shares of the homes, 0 to 1; a kind that no home has is left out. */
export const DER_KINDS = ['pv', 'ev', 'heatPump', 'battery'] as const;
export type DerKind = (typeof DER_KINDS)[number];
export type Der = Partial<Record<DerKind, number>>;

/** How reads come in: hardly any missing, or gaps of days at some meters. */
export const NETWORKS = ['good', 'poor'] as const;
export type NetworkQuality = (typeof NETWORKS)[number];

/** What may be wrong with meters and their network. */
export const ODDITIES = [
  'momentary-outages',
  'storm-silence',
  'meter-exchange',
  'unit-error',
  'stuck',
  'zero-since-clock-change',
  'clock-drift',
] as const;
export type Oddity = (typeof ODDITIES)[number];

/** Reads that come one to some intervals later than the others of their interval, and reads that come twice. */
export interface Lateness {
  /** Of the reads, 0 to `MOST_LATE`. */
  share: number;
  /** How many intervals later at most. */
  maxIntervals: number;
  /** The share of the reads that come twice, 0 to `MOST_LATE`. */
  duplicates: number;
}

/** Each late read is a delivery, or nearly: of 25,000 meters a tenth is 2,500 an interval. */
export const MOST_LATE = 0.1;
export const MOST_LATE_INTERVALS = 16;
export const DEFAULT_LATE_INTERVALS = 4;

export interface Network {
  quality?: NetworkQuality;
  /** In the order of `ODDITIES`, each once; never empty. */
  oddities?: Oddity[];
  /** Left out where nothing is late and nothing comes twice. */
  lateness?: Lateness;
}

/** Shares of trade and industry among a fleet's customers, by count; the others are homes. A share left out is the usual one. */
export interface Customers {
  /** 0 to `MOST_COMMERCIAL`; 0.125 where it is left out. */
  commercial?: number;
  /** 0 to `MOST_INDUSTRIAL`; 0.005 where it is left out. */
  industrial?: number;
}

/** A feeder has up to two and a half times the fleet's share of trade and three times that of industry: together under 1. */
export const MOST_COMMERCIAL = 0.35;
export const MOST_INDUSTRIAL = 0.04;

export interface Emulation {
  model: Model;
  /** Null of a model without a place (`hasPlace`), which has a climate. */
  place: Place | null;
  customers: Customers;
  der: Der;
  network: Network;
}

export const FIRST_EMULATION: Emulation = {
  model: FIRST_MODEL,
  place: null,
  customers: {},
  der: {},
  network: {},
};

const listed = (names: readonly string[]): string => names.map((name) => `"${name}"`).join(', ');

export const model = z.union(
  [z.literal(MODELS[0]), z.literal(MODELS[1]), z.literal(MODELS[2])],
  'must be 1, 2 or 3',
);
export const place = z.enum(PLACE_NAMES, `must be one of ${listed(PLACE_NAMES)}`);

const ofCustomers = (most: number) => {
  const form = `must be a share of the customers, from 0 to ${most}`;
  return z.number(form).min(0, form).max(most, form).optional();
};
export const customers = z.strictObject(
  { commercial: ofCustomers(MOST_COMMERCIAL), industrial: ofCustomers(MOST_INDUSTRIAL) },
  'must be an object with shares of the customers, for example { "commercial": 0.2, "industrial": 0.01 }',
);

const shareForm = 'must be a share of the homes, from 0 to 1';
const share = z.number(shareForm).min(0, shareForm).max(1, shareForm).optional();
export const der = z
  .strictObject(
    { pv: share, ev: share, heatPump: share, battery: share },
    'must be an object with shares of homes, for example { "pv": 0.4, "ev": 0.15 }',
  )
  .superRefine(({ pv = 0, battery = 0 }, { addIssue }) => {
    if (battery <= pv) return;
    const message = 'must be at most der.pv, since a battery is charged from the roof';
    addIssue({ code: 'custom', path: ['battery'], message });
  });

const odditiesForm = `must be a list of ${listed(ODDITIES)}, each once at most`;
export const oddities = z
  .array(z.enum(ODDITIES, odditiesForm), odditiesForm)
  .refine((list) => new Set(list).size === list.length, odditiesForm);
export const network = z.enum(NETWORKS, `must be one of ${listed(NETWORKS)}`);

const lateShareForm = `must be a share of the reads, from 0 to ${MOST_LATE}`;
const lateShare = z.number(lateShareForm).min(0, lateShareForm).max(MOST_LATE, lateShareForm);
const lateIntervalsForm = `must be a whole number from 1 to ${MOST_LATE_INTERVALS}`;
export const lateness = z.strictObject(
  {
    share: lateShare.default(0).describe('Of the reads that come later than the others of their interval.'),
    maxIntervals: z
      .int(lateIntervalsForm)
      .min(1, lateIntervalsForm)
      .max(MOST_LATE_INTERVALS, lateIntervalsForm)
      .default(DEFAULT_LATE_INTERVALS)
      .describe('How many intervals later at most; each number up to it is as likely.'),
    duplicates: lateShare.default(0).describe('Of the reads that come twice.'),
  },
  'must be an object, for example { "share": 0.01, "maxIntervals": 4, "duplicates": 0.005 }',
);

/** The fields of a request that say what its reads are made by. */
export const emulationFields = {
  climate: climate
    .optional()
    .meta({ default: DEFAULT_CLIMATE, description: 'By whose seasons, with model 1.' }),
  model: model
    .optional()
    .describe(
      'Which customers: 1, or those of a place, 2 and 3. Left out: as the tenant has run so far, else 3 with a place and 1 without.',
    ),
  place: place
    .optional()
    .describe(
      'Whose weather, holidays and sun. Without a model it implies 3, or 2 of a tenant that has run with it.',
    ),
  customers: customers
    .optional()
    .describe('Shares of trade and industry by count; the others are homes. Left out: 0.125 and 0.005.'),
  der: der
    .optional()
    .describe('Shares of homes with a roof of solar cells, a car, a heat pump, a battery. Left out: none.'),
  network: network.optional().describe('How many reads the network loses. Left out: none.'),
  oddities: oddities
    .optional()
    .describe('What may be wrong with meters and their network. Left out: nothing.'),
  lateness: lateness
    .optional()
    .describe('How many reads come late, by how much, and how many twice. Left out: none.'),
};

/** What a request says about it. */
export interface EmulationWanted {
  climate?: Climate | undefined;
  model?: Model | undefined;
  place?: Place | undefined;
  customers?: z.infer<typeof customers> | undefined;
  der?: z.infer<typeof der> | undefined;
  network?: NetworkQuality | undefined;
  oddities?: readonly Oddity[] | undefined;
  lateness?: Lateness | undefined;
}

/** What a tenant has run with so far. */
export interface RunSoFar extends Pick<Emulation, 'model' | 'place'> {
  /** The last model of a place, where it has moved on to one without. */
  placeModel?: PlaceModel | undefined;
}

/**
 * What a request means: a tenant keeps its model, and a place with it, until it asks for another. One that names a place alone gets
 * the model of a place that it has run with, so that the same request means the same reads.
 *
 * @param soFar undefined for a tenant that has never run.
 * @throws ApiError 400 when it names a place and a climate, or what its model does not have.
 */
export function emulationOf(wanted: EmulationWanted, soFar?: RunSoFar): Emulation {
  const chosen = chosenModel(wanted, soFar);
  if (hasPlace(chosen) && wanted.climate !== undefined) {
    const why =
      wanted.place === undefined
        ? 'has a place; model 1 has climates'
        : `has one, and place ${wanted.place} implies it`;
    throw invalidField('climate', `must be left out: model ${chosen} ${why}`);
  }
  if (!hasPlace(chosen) && wanted.place !== undefined)
    throw invalidField('place', 'must be left out with model 1, which has a climate');
  const place = hasPlace(chosen) ? (wanted.place ?? soFar?.place ?? DEFAULT_PLACE) : null;
  return {
    model: chosen,
    place,
    customers: canonicalCustomers(wanted.customers ?? {}),
    der: canonicalDer(wanted.der ?? {}),
    network: canonicalNetwork(wanted.network, wanted.oddities, wanted.lateness),
  };
}

function chosenModel({ model: asked, place: at, climate: by }: EmulationWanted, soFar?: RunSoFar): Model {
  if (asked !== undefined) return asked;
  if (at !== undefined)
    return hasPlace(soFar?.model) ? soFar.model : (soFar?.placeModel ?? DEFAULT_PLACE_MODEL);
  if (soFar) return soFar.model;
  return by === undefined ? DEFAULT_MODEL : 1;
}

/** In one order and without what is nothing, so that the same settings are the same text. */
export function canonicalEmulation(stored: Emulation): Emulation {
  return {
    model: stored.model,
    place: stored.place,
    customers: canonicalCustomers(stored.customers),
    der: canonicalDer(stored.der),
    network: canonicalNetwork(stored.network.quality, stored.network.oddities, stored.network.lateness),
  };
}

/** The same with every read in time and once. */
export function inTime({ network: { lateness: _, ...network }, ...emulation }: Emulation): Emulation {
  return { ...emulation, network };
}

function canonicalCustomers({ commercial, industrial }: z.infer<typeof customers>): Customers {
  return {
    ...(commercial !== undefined && { commercial }),
    ...(industrial !== undefined && { industrial }),
  };
}

function canonicalDer(shares: { [kind in DerKind]?: number | undefined }): Der {
  return Object.fromEntries(DER_KINDS.flatMap((kind) => (shares[kind] ? [[kind, shares[kind]]] : [])));
}

function canonicalNetwork(
  quality?: NetworkQuality,
  wrong: readonly Oddity[] = [],
  late?: Lateness | undefined,
): Network {
  const sorted = ODDITIES.filter((oddity) => wrong.includes(oddity));
  return {
    ...(quality && { quality }),
    ...(sorted.length > 0 && { oddities: sorted }),
    ...(late && (late.share > 0 || late.duplicates > 0) && { lateness: canonicalLateness(late) }),
  };
}

/** In one order. */
function canonicalLateness({ share, maxIntervals, duplicates }: Lateness): Lateness {
  return { share, maxIntervals, duplicates };
}

/** The same as the fields of a request, for answers. */
export function shownEmulation({
  model,
  place,
  customers,
  der,
  network: { quality, oddities, lateness },
}: Emulation) {
  return {
    model,
    ...(place === null ? {} : { place }),
    ...(Object.keys(customers).length > 0 ? { customers } : {}),
    ...(Object.keys(der).length > 0 ? { der } : {}),
    ...(quality ? { network: quality } : {}),
    ...(oddities ? { oddities: [...oddities] } : {}),
    ...(lateness ? { lateness } : {}),
  };
}
