import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { normalised } from '../../src/schema/detect/catalog.js';
import * as known from '../../src/schema/detect/knownNames.js';

const DOCUMENT = readFileSync(new URL('../../docs/SCHEMA_MAPPING.md', import.meta.url), 'utf8');

describe('docs/SCHEMA_MAPPING.md', () => {
  it('names every name that a table or column is known by, and no other in its tables', () => {
    const lists = Object.values(known).filter((list) => Array.isArray(list));
    const names = new Set<string>([...Object.values(known.TABLE_NAMES).flat(), ...lists.flat()]);
    const written = new Set(
      [...DOCUMENT.matchAll(/`([a-z_]+)`/g)].map((match) => normalised(match[1] ?? '')),
    );
    expect([...names].filter((name) => !written.has(name))).toEqual([]);

    const rows = [...DOCUMENT.matchAll(/^\| [^|]* \| (?:[^|]* \| )?(`[a-z_]+`(?:, `[a-z_]+`)+) \|$/gm)];
    const listed = rows.flatMap((row) =>
      [...(row[1] ?? '').matchAll(/`([a-z_]+)`/g)].map((match) => match[1] ?? ''),
    );
    expect(listed.length).toBeGreaterThan(200);
    expect(listed.filter((name) => !names.has(normalised(name)))).toEqual([]);
  });

  it('names the columns of a meaning in the order in which they are taken', () => {
    const lists = Object.values(known).filter((list): list is string[] => Array.isArray(list));
    const rows = [...DOCUMENT.matchAll(/^\| [^|]* \| [^|]* \| (`[a-z_]+`(?:, `[a-z_]+`)+) \|$/gm)].map(
      (row) => [...(row[1] ?? '').matchAll(/`([a-z_]+)`/g)].map((match) => normalised(match[1] ?? '')),
    );
    expect(rows.length).toBeGreaterThan(8);
    for (const written of rows) {
      const list = lists.find((names) => written.every((name) => names.includes(name))) ?? [];
      expect([...new Set(written)]).toEqual([...new Set(list)].filter((name) => written.includes(name)));
    }
  });
});
