import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { loadFleet } from '../../src/registry/file/loadFleet.js';
import { ownMapping } from '../../src/schema/detect/ownMapping.js';
import { createOwnRegistry, fleetFolder } from '../support/fleetRegistry.js';
import { createTestDatabase, type TestDatabase } from '../support/testDatabase.js';

const { registry } = ownMapping('public');

describe('loading a fleet file', () => {
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

  const load = async (
    content: string | Buffer,
    given: { tenantId?: string | undefined; dryRun?: boolean } = {},
  ) =>
    loadFleet(database.pool, registry, {
      file: await folder.file(content),
      tenantId: 'tenantId' in given ? given.tenantId : 'T',
      dryRun: given.dryRun ?? false,
    });
  const meters = async () =>
    (
      await database.pool.query(
        `SELECT concat_ws('|', tenant_id, meter_id, coalesce(feeder_id, '-'), is_active) AS line
         FROM meters ORDER BY tenant_id, meter_id`,
      )
    ).rows.map(({ line }) => line);
  /** The lines of the refusal, without its first. */
  const problems = async (content: string | Buffer): Promise<string[]> => {
    const refused = await load(content).then(
      () => expect.fail('was loaded'),
      (error: Error) => error.message,
    );
    expect(await meters()).toEqual([]);
    const [title, ...lines] = refused.split('\n');
    expect(title).toMatch(
      /^fleet.csv was not loaded, and nothing was written, for (one|[\d,]+) errors? in it:$/,
    );
    return lines.map((line) => line.trim());
  };

  it('adds, then updates what differs, leaves the rest, and says how many of each', async () => {
    const first = await load(
      'meter_id,feeder_id,feeder_name,is_active\nM1,F1,North,true\nM2,F1,,no\nM3,F2,South,\nM4,,,1\n',
    );
    expect(first).toEqual({
      tenantIds: ['T'],
      repeated: 0,
      ignoredColumns: [],
      warnings: [],
      warningCount: 0,
      meters: { added: 4, updated: 0, unchanged: 0, withoutFeeder: 1, unnamed: 0, retired: 0 },
      feeders: { added: 2, updated: 0 },
    });
    expect(await meters()).toEqual(['T|M1|F1|t', 'T|M2|F1|f', 'T|M3|F2|t', 'T|M4|-|t']);

    const before = await database.pool.query('SELECT * FROM meters ORDER BY meter_id');
    const second = await load('meter_id,feeder_id,feeder_name\nM1,F2,Far South\nM2,F1,\nM3,F2,\nM5,F3,\n');
    expect(second).toMatchObject({
      meters: { added: 1, updated: 1, unchanged: 2, withoutFeeder: 0 },
      feeders: { added: 1, updated: 1 },
    });
    // M2 stays out of service, as the file does not say; M4, which the file does not name, stays altogether.
    expect(await meters()).toEqual(['T|M1|F2|t', 'T|M2|F1|f', 'T|M3|F2|t', 'T|M4|-|t', 'T|M5|F3|t']);
    const after = await database.pool.query('SELECT * FROM meters ORDER BY meter_id');
    expect(after.rows[0].updated_at > before.rows[0].updated_at).toBe(true);
    expect(after.rows[1]).toEqual(before.rows[1]);
    const names = await database.pool.query('SELECT feeder_id, name FROM feeders ORDER BY 1');
    expect(names.rows.map(({ name }) => name)).toEqual(['North', 'Far South', null]);
  });

  it('takes a meter off its feeder, and back into service', async () => {
    await load('meter_id,feeder_id,is_active\nM1,F1,false\n');
    expect((await load('meter_id,feeder_id,is_active\nM1,,yes\n')).meters.updated).toBe(1);
    expect(await meters()).toEqual(['T|M1|-|t']);
  });

  it('shows on a dry run what it would do, and writes nothing', async () => {
    const counts = await load('meter_id,feeder_id\nM1,F1\n', { dryRun: true });
    expect(counts).toMatchObject({ meters: { added: 1 }, feeders: { added: 1 } });
    expect(await meters()).toEqual([]);
    expect((await database.pool.query('SELECT * FROM feeders')).rowCount).toBe(0);
  });

  it.each([
    ['CRLF', 'meter_id,feeder_id\r\nM1,F1\r\nM2,\r\n'],
    ['CR', 'meter_id,feeder_id\rM1,F1\rM2,'],
    ['LF and CRLF together', 'meter_id,feeder_id\r\nM1,F1\nM2,'],
    ['a byte order mark', '\uFEFFmeter_id,feeder_id\nM1,F1\nM2,\n'],
    ['semicolons, as Excel has it in Europe', '\uFEFFMeter ID;Feeder ID\r\nM1;F1\r\nM2;\r\n'],
    ['quotes', '"meter_id","feeder_id"\n"M1","F1"\n"M2",""\n'],
    ['other capitals and no underscores', 'FEEDERID,MeterId\nF1,M1\n,M2\n'],
    ['blanks around values', 'meter_id , feeder_id\n M1, F1 \n M2 ,\n'],
    ['empty lines and lines of commas alone', 'meter_id,feeder_id\n\nM1,F1\n,\nM2,\n,\n\n'],
    [
      'UTF-16, as Excel’s Unicode text',
      Buffer.from('\uFEFFmeter_id;feeder_id\r\nM1;F1\r\nM2;\r\n', 'utf16le'),
    ],
    ['tabs', 'meter_id\tfeeder_id\r\nM1\tF1\r\nM2\t\r\n'],
    ['tabs, with an empty value first', 'feeder_id\tmeter_id\nF1\tM1\n\t"M2"\n'],
    [
      'UTF-16 with tabs, as Excel’s Unicode text is',
      Buffer.from('\uFEFFmeter_id\tfeeder_id\r\nM1\tF1\r\nM2\t\r\n', 'utf16le'),
    ],
    [
      'UTF-16 in the other order of bytes',
      Buffer.from('\uFEFFmeter_id\tfeeder_id\r\nM1\tF1\r\nM2\t\r\n', 'utf16le').swap16(),
    ],
    ['a first line for Excel', 'sep=;\r\nmeter_id;feeder_id\r\nM1;F1\r\nM2;\r\n'],
    ['the same against the look of the header', '\uFEFFSEP=|\nmeter_id|feeder_id\nM1|F1\nM2|\n'],
  ])('reads %s', async (_, content) => {
    await load(content);
    expect(await meters()).toEqual(['T|M1|F1|t', 'T|M2|-|t']);
  });

  it('keeps commas, quotes, semicolons and blanks that are within quotes', async () => {
    await load('meter_id,feeder_id\n"M,1;""a"""," F 1 "\n');
    expect(await meters()).toEqual(['T|M,1;"a"| F 1 |t']);
  });

  it('keeps what is not ASCII in UTF-16, over the borders of chunks', async () => {
    const ids = Array.from({ length: 30_000 }, (_, index) => `Zähler 😀 ${index}`);
    const content = `\uFEFFmeter_id\tfeeder_id\n${ids.map((id) => `${id}\tÖst 東\n`).join('')}`;
    expect((await load(Buffer.from(content, 'utf16le'))).meters.added).toBe(30_000);
    const { rows } = await database.pool.query(
      `SELECT count(*)::integer AS count, min(feeder_id) AS feeder FROM meters WHERE meter_id ~ '^Zähler 😀 \\d+$'`,
    );
    expect(rows).toEqual([{ count: 30_000, feeder: 'Öst 東' }]);
  });

  it('refuses ids that a spreadsheet has rounded, and numbers lines after Excel’s own first', async () => {
    const advice = 'format the column as text there, put the ids in again, then save.';
    expect(
      await problems(
        'sep=;\nmeter_id;feeder_id\n4,71E+12;F1\n4.7e+11;F1\n9E+15;F1\nM1;1,2E+10\n1E5;F1\n-;F1\n',
      ),
    ).toEqual([
      `line 3, meter_id is a number that a spreadsheet has rounded ("4,71E+12"): ${advice}`,
      `line 4, meter_id is a number that a spreadsheet has rounded ("4.7e+11"): ${advice}`,
      `line 5, meter_id is a number that a spreadsheet has rounded ("9E+15"): ${advice}`,
      `line 6, feeder_id is a number that a spreadsheet has rounded ("1,2E+10"): ${advice}`,
    ]);
  });

  it('counts a line that is there twice once', async () => {
    const loaded = await load('meter_id,feeder_id,feeder_name\nM1,F1,\nM2,F1,North\nM1,F1,North\n');
    expect(loaded).toMatchObject({ repeated: 1, meters: { added: 2 } });
  });

  it('takes tenants from their column, and keeps them apart', async () => {
    const loaded = await load('tenant_id,meter_id,feeder_id\nA,M1,F1\nB,M1,F2\n', { tenantId: undefined });
    expect(loaded.tenantIds).toEqual(['A', 'B']);
    expect(await meters()).toEqual(['A|M1|F1|t', 'B|M1|F2|t']);
  });

  it.each([
    ['nothing', '', ['line 1 is missing: the file is empty.']],
    ['a byte order mark alone', '\uFEFF', ['line 1 is missing: the file is empty.']],
    ['empty lines', '\n\n', ['line 1 is missing: the file is empty.']],
    ['a header alone', 'meter_id,feeder_id\n', ['line 2 is missing: the file has no meters.']],
    [
      'no column of meters, and a column twice',
      'feeder_id,Feeder_ID\nF1,F1\n',
      ['line 1, feeder_id is there twice.', 'line 1, meter_id is missing: the first line must name it.'],
    ],
    [
      'a column that is not known',
      'meter_id,feeder_id,town\nM1,F1,Graz\n',
      [
        'line 1 has the column "town", but the columns are meter_id, feeder_id, feeder_name, is_active, tenant_id; --ignore town passes it over.',
      ],
    ],
    [
      'no meter',
      'meter_id,feeder_id\nM1,F1\n,F1\n',
      ['line 3, meter_id is empty: every line names a meter.'],
    ],
    [
      'a meter on two feeders',
      'meter_id,feeder_id\nM1,F1\n\nM2,F1\nM1,F2\nM2,\n',
      [
        'line 5, meter_id puts meter "M1" on feeder "F2", but it is on feeder "F1" in line 2.',
        'line 6, meter_id puts meter "M2" on no feeder, but it is on feeder "F1" in line 4.',
      ],
    ],
    [
      'a meter in service and out of it',
      'meter_id,feeder_id,is_active\nM1,F1,true\nM1,F1,false\n',
      ['line 3, is_active is not what it is for the same meter "M1" in line 2.'],
    ],
    [
      'a feeder of two names, and a name of no feeder',
      'meter_id,feeder_id,feeder_name\nM1,F1,North\nM2,F1,South\nM3,,East\n',
      [
        'line 3, feeder_name calls feeder "F1" "South", but it is called "North" in line 2.',
        'line 4, feeder_name names a feeder that feeder_id leaves out.',
      ],
    ],
    [
      'values too many and too few',
      'meter_id,feeder_id\nM1\nM2,F1,x\n',
      ['line 2 has one value for 2 columns.', 'line 3 has 3 values for 2 columns.'],
    ],
    [
      'what is neither true nor false',
      'meter_id,feeder_id,is_active\nM1,F1,maybe\n',
      [
        'line 2, is_active must be true or false, not "maybe"; --status WORD=true and --status WORD=false say what other words mean.',
      ],
    ],
    [
      'ids that are too long, broken over lines, or blank',
      `meter_id,feeder_id\n${'M'.repeat(129)},F1\n"M\r\n2",F1\nM3,"F\t3"\n"  ",F1\n`,
      [
        'line 2, meter_id is longer than 128 characters.',
        'line 3, meter_id has a line break or another control character: "M\\r\\n2".',
        'line 5, feeder_id has a line break or another control character: "F\\t3".',
        'line 6, meter_id is nothing but blanks.',
      ],
    ],
    [
      'bytes of another encoding',
      Buffer.from('meter_id,feeder_id\nM1,F1\nM2,Süd\n', 'latin1'),
      ['line 3, feeder_id has bytes that are not UTF-8 ("S\uFFFDd"): save the file as UTF-8.'],
    ],
    [
      'an open quote',
      'meter_id,feeder_id\nM1,F1\n,F1\nM3,"F1\nM4,F1\n',
      [
        'line 3, meter_id is empty: every line names a meter.',
        'line 4 opens a quote that is never closed; what follows was not read.',
      ],
    ],
    [
      'a quote within a value',
      'meter_id,feeder_id\nM1,F"1\n',
      [
        'line 2 has a quote within a value: put the value in quotes and write each quote in it twice; what follows was not read.',
      ],
    ],
    [
      'what goes on after a quote',
      'meter_id,feeder_id\nM1,"F"1\n',
      [
        'line 2 goes on after a closing quote: a quote within a value is written twice; what follows was not read.',
      ],
    ],
    [
      'another tenant',
      'meter_id,feeder_id,tenant_id\nM1,F1,T\nM2,F1,U\n',
      ['line 3, tenant_id is "U", but --tenant is T.'],
    ],
  ])('refuses %s', async (_, content, expected) => {
    expect(await problems(content)).toEqual(expected);
  });

  it('refuses a file that leaves the tenant to its column and has none, or a bad one', async () => {
    const refusal = (content: string) =>
      load(content, { tenantId: undefined }).catch((error: Error) => error.message.split('\n')[1]?.trim());
    expect(await refusal('meter_id,feeder_id\nM1,F1\n')).toBe(
      'line 1, tenant_id is missing: the first line must name it, unless --tenant names the tenant.',
    );
    expect(await refusal('tenant_id,meter_id,feeder_id\n,M1,F1\n')).toBe(
      'line 2, tenant_id must be 1 to 64 letters, digits, ".", "_" or "-".',
    );
  });

  it('shows twenty errors and how many more there are', async () => {
    const lines = await problems(`meter_id,feeder_id\n${',F1\n'.repeat(1_234)}`);
    expect(lines).toHaveLength(21);
    expect(lines.at(-2)).toBe('line 21, meter_id is empty: every line names a meter.');
    expect(lines.at(-1)).toBe('and 1,214 more.');
  });

  it('ends at a quote that was opened a whole file ago', async () => {
    const rest = 'M,F1\n'.repeat(100_000);
    expect(await problems(`meter_id,feeder_id\nM1,"F1\n${rest}`)).toEqual([
      'line 2 is longer than 131072 bytes: is there a quote that is never closed?; what follows was not read.',
    ]);
  });

  it('says that a file is not there', async () => {
    const loading = loadFleet(database.pool, registry, { file: 'none.csv', tenantId: 'T', dryRun: false });
    await expect(loading).rejects.toThrow('none.csv cannot be read: there is no such file.');
  });

  it('loads 120,000 lines, in slices, and finds them unchanged the next time', async () => {
    const lines = Array.from({ length: 120_000 }, (_, index) => `METER-${index},FEEDER-${index % 400}\n`);
    const content = `meter_id,feeder_id\n${lines.join('')}`;
    expect((await load(content)).meters).toMatchObject({ added: 120_000, updated: 0, unchanged: 0 });
    expect((await load(content)).meters).toMatchObject({ added: 0, updated: 0, unchanged: 120_000 });
  });

  it('lets loads of the same file run at once', async () => {
    const content = `meter_id,feeder_id\n${Array.from({ length: 500 }, (_, index) => `M${index},F1\n`).join('')}`;
    const all = await Promise.all([load(content), load(content), load(content)]);
    expect(all.map(({ meters }) => meters.added).sort()).toEqual([0, 0, 500]);
  });
});
