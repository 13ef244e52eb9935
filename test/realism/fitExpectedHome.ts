import { PLACE_NAMES, type Place } from '../../src/contracts/places.js';
import { createRandomness, STREAM } from '../../src/emulator/chance/random.js';
import { createHome } from '../../src/emulator/homes/home.js';
import { homeKwh } from '../../src/emulator/homes/homeLoad.js';
import { HOME_KWH_PER_DAY } from '../../src/emulator/homes/placeLevel.js';
import { sceneOfPlace } from '../../src/emulator/homes/placeScene.js';
import { PLACES } from '../../src/emulator/weather/places.js';

/**
 * `node --import tsx test/realism/fitExpectedHome.ts [model] [homes]`: what the mean home of each place draws, for the tables of
 * `src/emulator/homes/expectedTables.ts`, and what the model's `level` in `modelParameters.ts` must be multiplied by.
 */
const MODEL = process.argv[2] === '2' ? 2 : 3;
const HOMES = Number(process.argv[3] ?? 1_500);
/** Quarter hours between those looked at: no divisor of a day or a week. */
const APART = 37;
const KINDS = 3;

for (const place of PLACE_NAMES) process.stdout.write(`${tableOf(place)}\n`);

function tableOf(place: Place): string {
  const first = Date.UTC(2026, 0, 1) / 900_000;
  const seeds = ['one', 'two', 'three'].map((seed) => createRandomness(seed, 'fit'));
  const rows = seeds.flatMap((random, part) => {
    const homes = Array.from({ length: HOMES / seeds.length }, (_, meter) =>
      createHome(random.key(STREAM.meter, meter + 1), MODEL, place),
    );
    return Array.from({ length: Math.floor((365 * 96) / APART) }, (_, step) => {
      const slot = first + step * APART + part * 11;
      const scene = sceneOfPlace(
        MODEL,
        place,
        PLACES[place].timeZone,
        slot,
        1,
        random.key(STREAM.weather, 0),
      );
      const kwh = homes.reduce((sum, home) => sum + homeKwh(home, slot, scene), 0) / homes.length;
      const hour = Math.floor((scene.clock[0] as number) / 4);
      const air = scene.air[0] as number;
      const cell = hour + 24 * Math.min(KINDS - 1, scene.kind[0] as number);
      return { kwh, cell, cold: Math.max(0, 14 - air), hot: Math.max(0, air - 20) };
    });
  });
  const level = rows.reduce((sum, row) => sum + row.kwh, 0) / rows.length;
  const [cold, hot] = slopes(rows);
  const cells = Array.from({ length: 24 * KINDS }, (_, cell) => {
    const of = rows.filter((row) => row.cell === cell);
    return of.reduce((sum, row) => sum + row.kwh - cold * row.cold - hot * row.hot, 0) / of.length / level;
  });
  const line = (kind: number) =>
    `      [${cells
      .slice(kind * 24, kind * 24 + 24)
      .map((value) => value.toFixed(2))
      .join(', ')}],`;
  const name = place.includes('-') ? `'${place}'` : place;
  return [
    `  // level × ${(HOME_KWH_PER_DAY[place] / 96 / level).toFixed(4)}`,
    `  ${name}: {\n    hours: [`,
    ...Array.from({ length: KINDS }, (_, kind) => line(kind)),
    `    ],\n    cold: ${(cold / level).toFixed(4)},\n    hot: ${(hot / level).toFixed(4)},\n  },`,
  ].join('\n');
}

/** Slopes of load on cold and heat within each hour of each kind of day. */
function slopes(rows: readonly { kwh: number; cell: number; cold: number; hot: number }[]): [number, number] {
  const centred = rows.map((row) => ({ ...row }));
  for (let cell = 0; cell < 24 * KINDS; cell += 1) {
    const of = centred.filter((row) => row.cell === cell);
    for (const name of ['kwh', 'cold', 'hot'] as const) {
      const middle = of.reduce((sum, row) => sum + row[name], 0) / of.length;
      for (const row of of) row[name] -= middle;
    }
  }
  const sum = (of: (row: (typeof centred)[number]) => number) =>
    centred.reduce((total, row) => total + of(row), 0);
  const [cc, hh, ch] = [
    sum((row) => row.cold ** 2),
    sum((row) => row.hot ** 2),
    sum((row) => row.cold * row.hot),
  ];
  const [ck, hk] = [sum((row) => row.cold * row.kwh), sum((row) => row.hot * row.kwh)];
  const determinant = cc * hh - ch * ch;
  return [(ck * hh - hk * ch) / determinant, (hk * cc - ck * ch) / determinant];
}
