import pg from 'pg';
import type { RelationName } from './mapping.js';

/** The one place where a name from the catalog becomes SQL. */
export function quoted(name: string): string {
  return pg.escapeIdentifier(name);
}

/** `"schema"."name"`. */
export function quotedRelation({ schema, name }: RelationName): string {
  return `${quoted(schema)}.${quoted(name)}`;
}

/** A text as an SQL literal, for what cannot be a parameter: the bodies of functions. */
export function literal(text: string): string {
  return pg.escapeLiteral(text);
}

/** A relation as people write it: quoted only where it must be. */
export function shownRelation({ schema, name }: RelationName): string {
  return `${shown(schema)}.${shown(name)}`;
}

export function shown(name: string): string {
  return /^[a-z_][a-z0-9_$]*$/.test(name) ? name : quoted(name);
}
