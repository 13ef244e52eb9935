import type { Place } from '../../contracts/places.js';

/**
 * What homes of a place have, as shares of homes. US: EIA, Residential Energy Consumption Survey 2020, tables HC 3 to
 * HC 8 of Texas and of New York with New England. Germany: Destatis, Laufende Wirtschaftsrechnungen 2022, and BDEW,
 * Wie heizt Deutschland 2023. UK: English Housing Survey 2021, and DESNZ, Energy Consumption in the UK. New South
 * Wales: ABS 4602.0, and Energy Consumers Australia. Rounded to a twentieth; where a source has no number, or counts
 * by other kinds, it is this project's estimate.
 */
export interface Equipment {
  /** Central or split cooling that follows the weather, and single room units used now and then. */
  cooling: number;
  roomCooling: number;
  /** Electric heating by thermostat; storage heating on a night tariff; a fan heater beside another heating. */
  heating: number;
  storageHeating: number;
  spareHeater: number;
  /** Electric hot water: a tank that heats when it is used, one on a clock or night tariff, and a shower heater. */
  tank: number;
  clockTank: number;
  shower: number;
  electricCooking: number;
  washer: number;
  dryer: number;
  dishwasher: number;
  pool: number;
  /** Median steady load of a home, kW, and how much larger its other uses are than a British home's. */
  steadyKw: number;
  plenty: number;
  /** Makes the mean home of the US (`MEAN_KWH_PER_DAY`) of what the parts above add up to: measured over homes. */
  level: number;
}

export const EQUIPMENT: Readonly<Record<Place, Equipment>> = {
  'us-south': {
    cooling: 0.9,
    roomCooling: 0.08,
    heating: 0.6,
    storageHeating: 0,
    spareHeater: 0.2,
    tank: 0.5,
    clockTank: 0.03,
    shower: 0,
    electricCooking: 0.7,
    washer: 0.85,
    dryer: 0.75,
    dishwasher: 0.6,
    pool: 0.1,
    steadyKw: 0.15,
    plenty: 1.5,
    level: 0.938,
  },
  'us-northeast': {
    cooling: 0.4,
    roomCooling: 0.45,
    heating: 0.14,
    storageHeating: 0,
    spareHeater: 0.25,
    tank: 0.28,
    clockTank: 0.02,
    shower: 0,
    electricCooking: 0.45,
    washer: 0.75,
    dryer: 0.5,
    dishwasher: 0.55,
    pool: 0.05,
    steadyKw: 0.14,
    plenty: 1.4,
    level: 1.452,
  },
  germany: {
    cooling: 0.02,
    roomCooling: 0.06,
    heating: 0.02,
    storageHeating: 0.03,
    spareHeater: 0.12,
    tank: 0.08,
    clockTank: 0.03,
    shower: 0.2,
    electricCooking: 0.93,
    washer: 0.96,
    dryer: 0.43,
    dishwasher: 0.73,
    pool: 0.01,
    steadyKw: 0.065,
    plenty: 1,
    level: 2.336,
  },
  uk: {
    cooling: 0,
    roomCooling: 0.03,
    heating: 0.03,
    storageHeating: 0.05,
    spareHeater: 0.2,
    tank: 0.06,
    clockTank: 0.05,
    shower: 0.45,
    electricCooking: 0.68,
    washer: 0.96,
    dryer: 0.55,
    dishwasher: 0.45,
    pool: 0,
    steadyKw: 0.07,
    plenty: 1,
    level: 2.312,
  },
  'australia-nsw': {
    cooling: 0.55,
    roomCooling: 0.2,
    heating: 0.4,
    storageHeating: 0.01,
    spareHeater: 0.35,
    tank: 0.15,
    clockTank: 0.35,
    shower: 0,
    electricCooking: 0.65,
    washer: 0.96,
    dryer: 0.5,
    dishwasher: 0.55,
    pool: 0.12,
    steadyKw: 0.1,
    plenty: 1.1,
    level: 1.637,
  },
};
