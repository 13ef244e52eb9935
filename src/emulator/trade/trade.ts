import type { Place } from '../../contracts/places.js';
import { HOLIDAY, SATURDAY, SUNDAY } from '../calendar/dayKind.js';
import { between, has, uniform, whole } from '../chance/traits.js';
import { UNITS_PER_KWH } from '../homes/home.js';
import { type Session, TRADE, TRADE_KINDS, type TradeKind } from './tradeKinds.js';
import { customerSizeOf } from './tradeSize.js';

/**
 * A commercial or industrial customer of a place, which never changes; whole numbers as in a home (`Home`).
 * Parts are 65,536ths. All have one shape: an object that is spread into another has one of its own, and the reads of trade, an eighth of
 * all, took as long as those of homes.
 */
export interface Trade {
  key: number;
  kind: TradeKind | 'plant';
  /** Mean energy of a quarter hour over the year, kWh. */
  meanKwh: number;
  /** Energy of a quarter hour of business, hundredths of a watt-hour. */
  full: number;
  /** Load outside hours, share of the full. */
  base: number;
  /** Sessions of a day of business, local quarter hours; a second one is empty where there is none. */
  from: number;
  to: number;
  from2: number;
  to2: number;
  ramp: number;
  /** Whether there is business by kind of day: weekday, Saturday, Sunday, holiday; hours on days off are shorter. */
  openOn: readonly [boolean, boolean, boolean, boolean];
  /** Quarter hours earlier that a Saturday, Sunday or holiday ends. */
  shorter: number;
  heat: number;
  cool: number;
  /** Place in `SPREADS`. */
  spread: number;
  /** Closed for this many days from this day of the year on: school and works holidays. */
  closedFrom: number;
  closedDays: number;
}

/** What a part is counted in. */
export const PART = 65_536;
const part = (share: number): number => Math.round(share * PART);

/** Spreads of single quarter hours, sdlog. */
export const SPREADS = [0.01, 0.04, 0.06, 0.08, 0.1, 0.14, 0.2] as const;
const spreadAt = (spread: number): number =>
  Math.max(
    0,
    SPREADS.findIndex((known) => known >= spread),
  );

const NONE: Session = [0, 0];
/** Mean of what weather adds over the year is near this many kelvin of heat and of cold: it keeps the mean. */
const MEAN_HEAT = 2.5;
const MEAN_COLD = 5;

export function createTrade(key: number, itsClass: 'commercial' | 'industrial', place: Place): Trade {
  return itsClass === 'industrial' ? createPlant(key, place) : createBusiness(key, place);
}

const ALL = TRADE_KINDS.reduce((sum, kind) => sum + TRADE[kind].share, 0);
const MEAN_SIZE = TRADE_KINDS.reduce((sum, kind) => sum + (TRADE[kind].share / ALL) * TRADE[kind].size, 0);

function kindAt(where: number): TradeKind {
  let left = where * ALL;
  for (const kind of TRADE_KINDS) {
    left -= TRADE[kind].share;
    if (left < 0) return kind;
  }
  return 'office';
}

function createBusiness(key: number, place: Place): Trade {
  const kind = kindAt(uniform(key, 0));
  const facts = TRADE[kind];
  const earlier = whole(key, 1, -4, 4);
  const later = earlier + whole(key, 2, -4, 6);
  const [first, second] = [facts.sessions[0] ?? NONE, facts.sessions[1] ?? NONE];
  const always = facts.ramp === 0;
  const business: Trade = {
    key,
    kind,
    full: 0,
    base: part(between(key, 3, ...facts.base)),
    from: moved(always, first[0], earlier),
    to: moved(always, first[1], second === NONE ? later : earlier),
    from2: second === NONE ? 0 : moved(always, second[0], later),
    to2: second === NONE ? 0 : moved(always, second[1], later),
    ramp: facts.ramp,
    openOn: [true, has(key, 4, facts.saturday), has(key, 5, facts.sunday), has(key, 6, facts.holiday)],
    shorter: kind === 'hotel' || kind === 'restaurant' ? 0 : whole(key, 7, 0, 16),
    heat: part(facts.heat * between(key, 8, 0, 2)),
    cool: part(facts.cool * between(key, 9, 0.2, 1.8)),
    spread: spreadAt(facts.spread),
    closedFrom: kind === 'school' ? summerOf(place) : whole(key, 10, 0, 365),
    closedDays: kind === 'school' ? 42 : has(key, 11, 0.25) && !always ? whole(key, 12, 7, 21) : 0,
    meanKwh: (customerSizeOf(key, 'commercial', place) * facts.size) / MEAN_SIZE,
  };
  business.full = fullOf(business);
  return business;
}

const moved = (always: boolean, at: number, by: number): number =>
  always ? at : Math.max(0, Math.min(96, at + by));

/** Where the long school holidays begin, day of the year. */
function summerOf(place: Place): number {
  return place === 'australia-nsw' ? 354 : place.startsWith('us') ? 165 : 195;
}

/**
 * A plant of one shift, two or three, whose base is furnaces, compressors and ventilation. Shares by shifts: a third of
 * each, an estimate; three in four rest on Saturdays.
 */
function createPlant(key: number, place: Place): Trade {
  const shifts = whole(key, 0, 1, 3);
  const from = shifts === 3 ? 0 : whole(key, 1, 20, 28);
  const saturday = has(key, 4, shifts === 3 ? 0.45 : 0.2);
  const plant: Trade = {
    key,
    kind: 'plant',
    full: 0,
    base: part(between(key, 3, 0.12, shifts === 3 ? 0.6 : 0.45)),
    from,
    to: shifts === 3 ? 96 : from + (shifts === 2 ? 64 : whole(key, 2, 34, 40)),
    from2: 0,
    to2: 0,
    ramp: 2,
    openOn: [true, saturday, has(key, 5, saturday ? 0.4 : 0.02), has(key, 6, 0.1)],
    shorter: shifts === 3 ? 0 : whole(key, 7, 0, 24),
    heat: part(0.004 * uniform(key, 8)),
    cool: part(0.008 * uniform(key, 9)),
    spread: spreadAt(between(key, 13, 0.03, 0.12)),
    closedFrom: summerOf(place) + whole(key, 10, 0, 35),
    closedDays: has(key, 11, 0.35) ? whole(key, 12, 10, 22) : 0,
    meanKwh: customerSizeOf(key, 'industrial', place),
  };
  plant.full = fullOf(plant);
  return plant;
}

/** Energy of a quarter hour of business that the year's mean follows from. */
function fullOf(trade: Trade): number {
  return Math.round((trade.meanKwh / meanShare(trade)) * UNITS_PER_KWH);
}

/** The mean load over a year as a share of the full, about: what sizes are brought to their mean by. */
function meanShare(trade: Trade): number {
  const base = trade.base / PART;
  const weather = 1 + (trade.heat * MEAN_COLD + trade.cool * MEAN_HEAT) / PART;
  if (trade.kind === 'streetLight') return 0.47 + 0.53 * base;
  if (trade.kind === 'pump') return 0.4 * weather;
  const hours = trade.to - trade.from + trade.to2 - trade.from2;
  const [, saturday, sunday] = trade.openOn;
  const week =
    5 * hours +
    (saturday ? Math.max(0, hours - trade.shorter) : 0) +
    (sunday ? Math.max(0, hours - trade.shorter) : 0);
  const open = Math.min(1, ((week * 52.14) / (365 * 96)) * (1 - trade.closedDays / 365));
  return base + (1 - base) * open * weather;
}

export const isOpenOn = (trade: Trade, kind: number): boolean => trade.openOn[kind] === true;
export const isDayOff = (kind: number): boolean => kind === SATURDAY || kind === SUNDAY || kind === HOLIDAY;
