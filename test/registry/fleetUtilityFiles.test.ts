import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type FleetLoad, loadFleet } from '../../src/registry/file/loadFleet.js';
import { ownMapping } from '../../src/schema/detect/ownMapping.js';
import { createOwnRegistry, fleetFolder } from '../support/fleetRegistry.js';
import { createTestDatabase, type TestDatabase } from '../support/testDatabase.js';

const { registry } = ownMapping('public');

/** As utilities' lists of meters are: their own headers, more columns, words of state, a footer. */
const LIST = `Meter Number;Circuit;Rate Class;Meter Status;Town
0004711;F 1;R1;In Service;Graz
0004712;F 1;R1;Removed;Graz
0004713;F 2;C2;In Service;Leoben
`;

describe('files of meters as utilities have them', () => {
  let database: TestDatabase;
  let folder: Awaited<ReturnType<typeof fleetFolder>>;
  beforeAll(async () => {
    database = await createTestDatabase('empty');
    folder = await fleetFolder();
    await createOwnRegistry(database.pool);
  });
  afterAll(async () => {
    await database.drop();
    await folder.remove();
  });
  beforeEach(async () => {
    await database.pool.query('TRUNCATE meters, feeders');
  });

  const load = async (content: string, options: Partial<FleetLoad> = {}) =>
    loadFleet(database.pool, registry, {
      file: await folder.file(content),
      tenantId: 'T',
      dryRun: false,
      ...options,
    });
  const named = (map: Record<string, string>, ignore: string[] = [], ignoreOthers = false) => ({
    named: { map: new Map(Object.entries(map)), ignore, ignoreOthers } as FleetLoad['named'] & object,
  });
  const meters = async () =>
    (
      await database.pool.query(
        `SELECT concat_ws('|', meter_id, coalesce(feeder_id, '-'), is_active) AS line FROM meters ORDER BY meter_id`,
      )
    ).rows.map(({ line }) => line);
  /** The lines of the refusal, without its first. */
  const problems = async (content: string, options: Partial<FleetLoad> = {}): Promise<string[]> => {
    const refused = await load(content, options).then(
      () => expect.fail('was loaded'),
      (error: Error) => error.message,
    );
    expect(await meters()).toEqual([]);
    return refused
      .split('\n')
      .slice(1)
      .map((line) => line.trim());
  };

  it.each([
    ['NULL', 'which says that there is no value: leave the cell empty'],
    ['\\N', 'which says that there is no value: leave the cell empty'],
    ['N/A', 'which says that there is no value: leave the cell empty'],
    ['#N/A', 'which says that there is no value: leave the cell empty'],
    ['#REF!', 'which says that there is no value: leave the cell empty'],
    ['NaN', 'which says that there is no value: leave the cell empty'],
    ['Meter_ID', 'as in a header that is repeated: leave the line out'],
    ['Total', 'which looks like the end of a report: leave the line out'],
    ['(2 rows)', 'which looks like the end of a report: leave the line out'],
  ])('F1: refuses %s where an id should be', async (value, reason) => {
    const shown = JSON.stringify(value);
    const lines = ['meter_id,feeder_id', `${value},F1`, `M2,${value}`, 'M3,F1', ''];
    expect(await problems(lines.join('\n'))).toEqual([
      `line 2, meter_id is ${shown}, ${reason}.`,
      `line 3, feeder_id is ${shown}, ${reason}.`,
    ]);
  });

  it.each([
    ['"=""0004711"""', 'is a formula of a spreadsheet ("=\\"0004711\\""): write 0004711'],
    ['12.0', 'is a number with decimals ("12.0"), as spreadsheets and pandas make of an id: write 12'],
    [
      '"4711,00"',
      'is a number with decimals ("4711,00"), as spreadsheets and pandas make of an id: write 4711',
    ],
    ['M\u200B1', 'has an invisible character (U+200B): take it out'],
    ['M\uFEFF1', 'has an invisible character (U+FEFF): take it out'],
    ['M\u00AD1', 'has an invisible character (U+00AD): take it out'],
  ])('F1: refuses %j, which is not the id any more', async (cell, reason) => {
    expect(await problems(`meter_id,feeder_id\nM1,F1\n${cell},F1\n`)).toEqual([
      `line 3, meter_id ${reason}.`,
    ]);
  });

  it('F1: takes what may be an id, and says by line what is doubtful', async () => {
    const loaded = await load(
      "meter_id,feeder_id\n'0004711,F1\nM2,-\nM\u00a03,F1\nNULL-7,Total North\n12.05,F1\n",
    );
    expect(loaded.meters.added).toBe(5);
    expect(loaded.warningCount).toBe(3);
    expect(loaded.warnings).toEqual([
      `line 2, meter_id is "'0004711": the apostrophe, by which spreadsheets mark a text, is part of the id now.`,
      'line 3, feeder_id is "-", which is an id now and may have meant that there is no value.',
      'line 4, meter_id has a blank that is not the plain one (U+00A0), which is part of the id now.',
    ]);
  });

  it('F2: proposes which columns are meant, and writes nothing', async () => {
    expect(await problems(LIST)).toEqual([
      `line 1, meter_id is missing: the first line must name it; if "Meter Number" is it, say --map 'meter_id=Meter Number'.`,
      'line 1, feeder_id is missing: the first line must name it; if "Circuit" is it, say --map feeder_id=Circuit.',
      `line 1 has the column "Meter Status": if it is is_active, say --map 'is_active=Meter Status'.`,
      'line 1 has the columns "Rate Class", "Town", but the columns are meter_id, feeder_id, feeder_name, is_active, tenant_id; --ignore NAME passes one over, --ignore-others all of them.',
    ]);
  });

  it('F2: loads such a list by what is said of its columns', async () => {
    const said = { meter_id: 'meter number', feeder_id: 'CIRCUIT', is_active: 'Meter Status' };
    const expected = ['0004711|F 1|t', '0004712|F 1|f', '0004713|F 2|t'];
    const one = await load(LIST, named(said, ['Rate Class', 'town']));
    expect(one.ignoredColumns).toEqual(['Rate Class', 'Town']);
    expect(await meters()).toEqual(expected);
    await database.pool.query('TRUNCATE meters, feeders');
    await load(LIST, named(said, [], true));
    expect(await meters()).toEqual(expected);
  });

  it('F2: refuses what is said of columns that are not there', async () => {
    expect(await problems('meter_id,feeder_id\nM1,F1\n', named({ is_active: 'Status' }, ['Town']))).toEqual([
      'line 1, is_active is mapped to "Status", which the file does not have.',
      'line 1 has no column "Town", which --ignore names.',
    ]);
  });

  it('F2: takes a column by what is said of it, not by its own name', async () => {
    const content = 'meter_id,serial,feeder_id\n1,A-1,F1\n2,A-2,F1\n';
    expect((await problems(content, named({ meter_id: 'serial' })))[0]).toContain('"meter_id"');
    await load(content, named({ meter_id: 'serial' }, ['meter_id']));
    expect(await meters()).toEqual(['A-1|F1|t', 'A-2|F1|t']);
  });

  it('F2: takes words of state that are known or said, and refuses others by line', async () => {
    const content = 'meter_id,feeder_id,is_active\nM1,F1,Decommissioned\nM2,F1,Pending\n';
    expect(await problems(content)).toEqual([
      'line 3, is_active must be true or false, not "Pending"; --status WORD=true and --status WORD=false say what other words mean.',
    ]);
    await load(content, { statuses: new Map([['pending', true]]) });
    expect(await meters()).toEqual(['M1|F1|f', 'M2|F1|t']);
  });

  it('F2: counts the meters that are not named, and retires them where that is asked for', async () => {
    await load('meter_id,feeder_id\nM1,F1\nM2,F1\nM3,F1\nM4,F1\nM5,F1\n');
    const rest = 'meter_id,feeder_id\nM1,F1\nM2,F1\nM3,F1\n';
    expect((await load(rest)).meters).toMatchObject({ unnamed: 2, retired: 0 });
    expect((await load(rest, { retire: 'half', dryRun: true })).meters).toMatchObject({ retired: 2 });
    expect((await meters()).filter((line) => line.endsWith('f'))).toEqual([]);
    expect((await load(rest, { retire: 'half' })).meters).toMatchObject({ unnamed: 2, retired: 2 });
    expect((await meters()).slice(3)).toEqual(['M4|F1|f', 'M5|F1|f']);
    // Retired ones are not in service, and so are not missed.
    expect((await load(rest, { retire: 'half' })).meters).toMatchObject({ unnamed: 0, retired: 0 });
  });

  it('F2: does not retire more than half without being told so', async () => {
    await load('meter_id,feeder_id\nM1,F1\nM2,F1\nM3,F1\n');
    const one = 'meter_id,feeder_id\nM1,F1\n';
    await expect(load(one, { retire: 'half' })).rejects.toThrow(
      '--retire would take 2 of the 3 meters of T that are in service out of it: is the file whole? If so, say --retire-any-number.',
    );
    expect((await meters()).filter((line) => line.endsWith('f'))).toEqual([]);
    expect((await load(one, { retire: 'any' })).meters.retired).toBe(2);
  });

  it('F2: leaves the meters of other tenants alone', async () => {
    await load('meter_id,feeder_id\nM1,F1\n', { tenantId: 'U' });
    await load('meter_id,feeder_id\nM2,F1\n', { retire: 'any' });
    expect(await meters()).toEqual(['M1|F1|t', 'M2|F1|t']);
  });
});
