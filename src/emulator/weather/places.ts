import { DEFAULT_TIME_ZONE } from '../../contracts/place.js';
import type { Place } from '../../contracts/places.js';

/** What the weather, the sun and the calendar of a place are computed from. */
export interface PlaceFacts {
  /** Degrees; north and east are positive. */
  latitude: number;
  longitude: number;
  /** IANA zone of a tenant that names none. */
  timeZone: string;
  /** Country (ISO 3166-1) and state whose public holidays are kept there. */
  country: string;
  state: string;
  /** Mean temperature of each month, January first, °C. */
  meanC: readonly number[];
  /** Mean difference of a day's highest and lowest temperature by month, °C. */
  swingC: readonly number[];
  /** Standard deviation of a day's mean about its month's, °C, in January and in July; the months between go over. */
  deviationC: readonly [january: number, july: number];
  /** Mean share of the sky under cloud by month, 0–1. */
  cloud: readonly number[];
}

/**
 * Temperatures are climate normals of 1991 to 2020, to about half a degree: Dallas-Fort Worth and New York Central
 * Park (NOAA, U.S. Climate Normals), the area mean of Germany (DWD), London Heathrow (Met Office), and Sydney
 * Airport (Bureau of Meteorology). Swings are the same sources' maxima less minima. The spread of single days and
 * the cloudiness are rounded from the stations' annual summaries and from ISCCP; one figure in ten is as good.
 */
export const PLACES: Readonly<Record<Place, PlaceFacts>> = {
  'us-south': {
    latitude: 32.8,
    longitude: -96.8,
    timeZone: 'America/Chicago',
    country: 'US',
    state: 'TX',
    meanC: [8.1, 10.2, 14.5, 18.7, 23.1, 27.6, 29.7, 29.8, 25.8, 20.0, 13.6, 9.1],
    swingC: [11.2, 11.3, 11.5, 11.2, 10.1, 10.4, 11.1, 11.4, 11.1, 11.4, 11.3, 10.9],
    deviationC: [5.6, 1.9],
    cloud: [0.54, 0.54, 0.54, 0.52, 0.51, 0.42, 0.34, 0.35, 0.4, 0.41, 0.46, 0.52],
  },
  'us-northeast': {
    latitude: 40.8,
    longitude: -74.0,
    timeZone: 'America/New_York',
    country: 'US',
    state: 'NY',
    meanC: [0.9, 2.2, 6.0, 12.0, 17.3, 22.3, 25.3, 24.5, 20.6, 14.4, 8.8, 3.9],
    swingC: [6.7, 7.4, 8.1, 9.2, 9.3, 8.8, 8.5, 8.3, 8.2, 7.8, 7.0, 6.2],
    deviationC: [4.9, 2.7],
    cloud: [0.62, 0.6, 0.59, 0.58, 0.58, 0.55, 0.54, 0.52, 0.51, 0.51, 0.61, 0.63],
  },
  germany: {
    latitude: 51.0,
    longitude: 9.5,
    timeZone: 'Europe/Berlin',
    country: 'DE',
    state: 'HE',
    meanC: [0.9, 1.5, 4.6, 9.0, 13.1, 16.4, 18.3, 18.0, 13.9, 9.4, 4.9, 1.9],
    swingC: [5.0, 6.2, 8.3, 10.4, 10.9, 11.0, 11.2, 11.0, 9.6, 7.4, 5.1, 4.6],
    deviationC: [4.3, 3.2],
    cloud: [0.79, 0.75, 0.7, 0.65, 0.64, 0.64, 0.63, 0.61, 0.64, 0.7, 0.79, 0.81],
  },
  uk: {
    latitude: 51.5,
    longitude: -0.4,
    timeZone: 'Europe/London',
    country: 'GB',
    state: 'ENG',
    meanC: [5.7, 6.0, 8.3, 10.9, 14.0, 17.0, 19.2, 18.8, 16.1, 12.5, 8.7, 6.2],
    swingC: [5.7, 6.4, 8.0, 9.7, 9.9, 10.0, 10.2, 9.9, 9.3, 7.5, 6.2, 5.5],
    deviationC: [3.4, 2.5],
    cloud: [0.75, 0.73, 0.7, 0.66, 0.66, 0.65, 0.64, 0.63, 0.64, 0.68, 0.72, 0.76],
  },
  'australia-nsw': {
    latitude: -33.9,
    longitude: 151.0,
    timeZone: 'Australia/Sydney',
    country: 'AU',
    state: 'NSW',
    meanC: [23.6, 23.5, 22.0, 19.3, 16.2, 13.9, 13.1, 14.2, 16.8, 19.0, 20.7, 22.4],
    swingC: [7.6, 7.2, 7.6, 8.5, 9.0, 8.8, 9.6, 10.3, 10.2, 9.2, 8.3, 8.0],
    deviationC: [3.0, 1.9],
    cloud: [0.56, 0.57, 0.53, 0.48, 0.47, 0.48, 0.41, 0.38, 0.41, 0.49, 0.53, 0.55],
  },
};

/** By whose clock the customers of a fleet live that names no zone: that of its place, else UTC. */
export function timeZoneOf(place: Place | null): string {
  return place === null ? DEFAULT_TIME_ZONE : PLACES[place].timeZone;
}
