import type { RelationName } from './mapping.js';

/** A relation as the key of a set; no quoting could be told from a name. */
export function relationKey({ schema, name }: RelationName): string {
  return JSON.stringify([schema, name]);
}
