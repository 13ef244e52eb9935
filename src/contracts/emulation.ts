import { z } from 'zod';
import { invalidField } from './errors.js';
import { type Climate, climate, DEFAULT_CLIMATE } from './place.js';
import { DEFAULT_PLACE, PLACE_NAMES, type Place } from './places.js';

/** What a fleet's reads are made by, beside its seed: it is part of what makes an interval the same interval. */

/** Versions of the customers. Each stays as it is, since a revision must give the reads of an old interval again. */
export const MODELS = [1, 2] as const;
export type Model = (typeof MODELS)[number];

/** The model of a tenant that has never run. */
export const DEFAULT_MODEL: Model = 1;
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

export interface Network {
  quality?: NetworkQuality;
  /** In the order of `ODDITIES`, each once; never empty. */
  oddities?: Oddity[];
}

export interface Emulation {
  model: Model;
  /** Null with model 1, which has a climate. */
  place: Place | null;
  der: Der;
  network: Network;
}

export const FIRST_EMULATION: Emulation = { model: FIRST_MODEL, place: null, der: {}, network: {} };

const listed = (names: readonly string[]): string => names.map((name) => `"${name}"`).join(', ');

export const model = z.union([z.literal(MODELS[0]), z.literal(MODELS[1])], 'must be 1 or 2');
export const place = z.enum(PLACE_NAMES, `must be one of ${listed(PLACE_NAMES)}`);

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

/** The fields of a request that say what its reads are made by. */
export const emulationFields = {
  climate: climate
    .optional()
    .meta({ default: DEFAULT_CLIMATE, description: 'By whose seasons, with model 1.' }),
  model: model
    .optional()
    .describe('Which customers: 1, or 2 of a place. Left out: as the tenant has run so far, else 1.'),
  place: place.optional().describe('Whose weather, holidays and sun, with model 2, which it implies.'),
  der: der
    .optional()
    .describe('Shares of homes with a roof of solar cells, a car, a heat pump, a battery. Left out: none.'),
  network: network.optional().describe('How many reads the network loses. Left out: none.'),
  oddities: oddities
    .optional()
    .describe('What may be wrong with meters and their network. Left out: nothing.'),
};

/** What a request says about it. */
export interface EmulationWanted {
  climate?: Climate | undefined;
  model?: Model | undefined;
  place?: Place | undefined;
  der?: z.infer<typeof der> | undefined;
  network?: NetworkQuality | undefined;
  oddities?: readonly Oddity[] | undefined;
}

/** What a tenant has run with so far. */
export type RunSoFar = Pick<Emulation, 'model' | 'place'>;

/**
 * What a request means: a tenant keeps its model, and a place with it, until it asks for another.
 *
 * @param soFar undefined for a tenant that has never run.
 * @throws ApiError 400 when it names a place and a climate, or what its model does not have.
 */
export function emulationOf(wanted: EmulationWanted, soFar?: RunSoFar): Emulation {
  const chosen = chosenModel(wanted, soFar);
  if (chosen === 2 && wanted.climate !== undefined) {
    const why =
      wanted.place === undefined
        ? 'has a place; model 1 has climates'
        : `has one, and place ${wanted.place} implies it`;
    throw invalidField('climate', `must be left out: model 2 ${why}`);
  }
  if (chosen === 1 && wanted.place !== undefined)
    throw invalidField('place', 'must be left out with model 1, which has a climate');
  const place = chosen === 2 ? (wanted.place ?? soFar?.place ?? DEFAULT_PLACE) : null;
  return {
    model: chosen,
    place,
    der: canonicalDer(wanted.der ?? {}),
    network: canonicalNetwork(wanted.network, wanted.oddities),
  };
}

function chosenModel({ model: asked, place: at, climate: by }: EmulationWanted, soFar?: RunSoFar): Model {
  if (asked !== undefined) return asked;
  if (at !== undefined) return 2;
  if (soFar) return soFar.model;
  return by === undefined ? DEFAULT_MODEL : 1;
}

/** In one order and without what is nothing, so that the same settings are the same text. */
export function canonicalEmulation(stored: Emulation): Emulation {
  return {
    model: stored.model,
    place: stored.place,
    der: canonicalDer(stored.der),
    network: canonicalNetwork(stored.network.quality, stored.network.oddities),
  };
}

function canonicalDer(shares: { [kind in DerKind]?: number | undefined }): Der {
  return Object.fromEntries(DER_KINDS.flatMap((kind) => (shares[kind] ? [[kind, shares[kind]]] : [])));
}

function canonicalNetwork(quality?: NetworkQuality, wrong: readonly Oddity[] = []): Network {
  const sorted = ODDITIES.filter((oddity) => wrong.includes(oddity));
  return { ...(quality && { quality }), ...(sorted.length > 0 && { oddities: sorted }) };
}

/** The same as the fields of a request, for answers. */
export function shownEmulation({ model, place, der, network: { quality, oddities } }: Emulation) {
  return {
    model,
    ...(place === null ? {} : { place }),
    ...(Object.keys(der).length > 0 ? { der } : {}),
    ...(quality ? { network: quality } : {}),
    ...(oddities ? { oddities: [...oddities] } : {}),
  };
}
