import { expect, it } from 'vitest';
import { describeOnBothBackends } from '../support/backends.js';
import { OWN_PARTS } from './parts.js';

const placed = Object.keys(OWN_PARTS).map((name, place) => ({
  name,
  place: place % 2 === 0 ? 'redis' : 'postgres',
}));

/** The short form of those parts of `npm run campaign` that judge by an oracle of their own; each on one of the two queues. */
describeOnBothBackends('a deployment that is used in every way', (backend) => {
  it.each(placed.filter(({ place }) => place === backend))('holds what it must: $name', async ({ name }) => {
    const part = OWN_PARTS[name];
    if (part === undefined) throw new Error(`there is no ${name}`);
    const { skipped, troubles, rounds } = await part.run({ backend, seed: 'short form', isShort: true });
    if (skipped !== undefined) process.stdout.write(`SKIPPED ${name}: ${skipped}\n`);
    else expect({ troubles, rounds }).toEqual({ troubles: [], rounds: part.rounds.short });
  });
});
