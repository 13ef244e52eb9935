import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';

const { rooms } = createRequire(import.meta.url)('../../config/rooms.cjs') as {
  rooms: Record<string, { floor: number }>;
};

/** The rooms of the first fenced block after a heading, a list for each line that names any. */
function floorsShown(path: string, heading: string): string[][] {
  const text = readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
  const picture = text.slice(text.indexOf(heading)).split('```')[1] ?? '';
  return picture
    .split('\n')
    .map((line) => (line.split('▲')[0] ?? '').split('│')[0]?.match(/[a-z]+/gi) ?? [])
    .map((words) => words.filter((word) => word in rooms))
    .filter((found) => found.length > 0);
}

describe.each([
  ['docs/architecture.md', '## Rooms'],
  ['docs/contributing.md', '## The house in one picture'],
])('the picture of the rooms in %s', (path, heading) => {
  const shown = floorsShown(path, heading);

  it('has every room once', () => {
    expect(shown.flat().toSorted()).toEqual(Object.keys(rooms).toSorted());
  });

  it('has the floors in their order, from the top down', () => {
    const floors = shown.map((line) => [...new Set(line.map((room) => rooms[room]?.floor))]);
    for (const line of floors) expect(line).toHaveLength(1);
    expect(floors.flat()).toEqual(floors.flat().toSorted((a, b) => Number(b) - Number(a)));
  });
});
