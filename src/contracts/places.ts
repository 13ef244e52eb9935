/**
 * Where customers of a model with places live: it gives them their weather, their public holidays and
 * the kinds of homes there are. Shared by requests, the emulator and job payloads.
 */
export const PLACE_NAMES = ['us-south', 'us-northeast', 'germany', 'uk', 'australia-nsw'] as const;

export type Place = (typeof PLACE_NAMES)[number];

/** Of a tenant that asks for a model with places and names none. */
export const DEFAULT_PLACE: Place = 'us-south';

/** Whether `value` is a place that the emulator knows. Never throws. */
export function isPlace(value: unknown): value is Place {
  return (PLACE_NAMES as readonly unknown[]).includes(value);
}
