/** Where the customers of model 2 live: its weather, its holidays and its sun. */
export const PLACES = ['us-south', 'us-northeast', 'germany', 'uk', 'australia-nsw'] as const;

export type Place = (typeof PLACES)[number];
