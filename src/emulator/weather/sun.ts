import type { Place } from '../../contracts/places.js';
import { PLACES } from './places.js';

/** Sine of the sun's height above the horizon in the middle of the UTC quarter hour `slot`; negative by night. */
export function sunHeight(place: Place, slot: number): number {
  const { latitude, longitude } = PLACES[place];
  const solar = (slot + 0.5) / 96 + longitude / 360;
  const hourAngle = (solar - Math.floor(solar) - 0.5) * 2 * Math.PI;
  // Days since the solstice of 21 December 1969; the declination to a quarter of a degree.
  const season = ((solar + 11) / 365.2422) * 2 * Math.PI;
  const declination = -0.4091 * Math.cos(season);
  const north = (latitude * Math.PI) / 180;
  return (
    Math.sin(north) * Math.sin(declination) + Math.cos(north) * Math.cos(declination) * Math.cos(hourAngle)
  );
}

/** Daylight in rooms, 0–1: from half an hour before sunrise on, whole at ten degrees. */
export function daylight(place: Place, slot: number): number {
  return Math.max(0, Math.min(1, (sunHeight(place, slot) + 0.08) / 0.28));
}
