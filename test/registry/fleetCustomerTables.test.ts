import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { exportFleet } from '../../src/registry/file/exportFleet.js';
import { loadFleet } from '../../src/registry/file/loadFleet.js';
import { synthesizeFleet } from '../../src/registry/file/synthesizeFleet.js';
import type { RegistryMapping } from '../../src/schema/mapping.js';
import { column, customerRegistry, fleetFolder, textOf } from '../support/fleetRegistry.js';
import { openPool } from '../support/openPool.js';
import { createTestDatabase, type TestDatabase } from '../support/testDatabase.js';

describe("the fleet in a customer's own tables", () => {
  let database: TestDatabase;
  let folder: Awaited<ReturnType<typeof fleetFolder>>;
  beforeAll(async () => {
    database = await createTestDatabase('empty');
    folder = await fleetFolder();
  });
  afterAll(async () => {
    await database.drop();
    await folder.remove();
  });
  beforeEach(async () => {
    await database.pool.query('DROP SCHEMA public CASCADE; CREATE SCHEMA public');
  });

  const run = (sql: string) => database.pool.query(sql);
  const load = async (registry: RegistryMapping, content: string) => {
    const { meters, feeders } = await loadFleet(database.pool, registry, {
      file: await folder.file(content),
      tenantId: 'T',
      dryRun: false,
    });
    return [meters.added, meters.updated, meters.unchanged, feeders.added, feeders.updated];
  };
  const exported = (registry: RegistryMapping) =>
    textOf((open) => exportFleet(database.pool, registry, 'T', open));
  const lines = async (sql: string) => (await run(sql)).rows.map((row) => Object.values(row).join('|'));

  /** feeders.id is an identity and what meters refer to; feeders.code is what people call it. */
  const identity = customerRegistry(
    { name: 'meters', meterId: column('serial'), feeder: column('feeder', 'integer') },
    { name: 'feeders', key: column('id', 'integer'), aliases: [column('name')] },
  );
  const identityTables = `
    CREATE TABLE feeders (id integer GENERATED ALWAYS AS IDENTITY (START 70), code varchar(8) NOT NULL, name text, kv int);
    CREATE TABLE meters (pk bigserial PRIMARY KEY, serial text NOT NULL, feeder integer, note text)`;

  it('refers to feeders by their identity, makes the missing ones, and leaves all other columns', async () => {
    await run(identityTables);
    await run(`INSERT INTO feeders (code, name, kv) VALUES ('F1', 'North', 20);
      INSERT INTO meters (serial, feeder, note) VALUES ('M1', 70, 'kept'), ('M2', 70, 'kept'), ('M9', 70, 'kept')`);
    const file = 'meter_id,feeder_id,feeder_name\nM1,F2,South\nM2,F1,Far North\nM3,F2,\nM4,,\n';
    expect(await load(identity, file)).toEqual([2, 1, 1, 1, 1]);
    expect(await lines('SELECT id, code, name, kv FROM feeders ORDER BY code')).toEqual([
      '70|F1|Far North|20',
      '71|F2|South|',
    ]);
    expect(await lines('SELECT serial, feeder, note FROM meters ORDER BY serial')).toEqual([
      'M1|71|kept',
      'M2|70|kept',
      'M3|71|',
      'M4||',
      'M9|70|kept',
    ]);
    expect(await load(identity, file)).toEqual([0, 0, 4, 0, 0]);
    expect(await exported(identity)).toBe(
      'meter_id,feeder_id,feeder_name\nM2,F1,Far North\nM9,F1,Far North\nM1,F2,South\nM3,F2,South\nM4,,\n',
    );
  });

  it('refuses a value longer than its column, instead of cutting it', async () => {
    await run(identityTables);
    const registry = customerRegistry(
      { name: 'meters', meterId: column('serial'), feeder: column('feeder', 'integer') },
      {
        name: 'feeders',
        key: column('id', 'integer'),
        feederId: column('code', 'text', 'character varying(8)'),
      },
    );
    await expect(load(registry, 'meter_id,feeder_id\nM1,FEEDER_17\n')).rejects.toThrow(
      "line 2, feeder_id is longer than the registry's column holds (character varying(8)).",
    );
    // Where the mapping does not know the length, the table does.
    await expect(load(identity, 'meter_id,feeder_id\nM1,FEEDER_17\n')).rejects.toThrow(
      'The table public.feeders refuses the load: value too long for type character varying(8).',
    );
    expect(await lines('SELECT serial FROM meters')).toEqual([]);
  });

  it('takes integers and UUIDs for keys, however the file writes them, and refuses what is neither', async () => {
    await run(`CREATE TABLE circuits (circuit uuid PRIMARY KEY, tenant uuid);
      CREATE TABLE devices (device bigint PRIMARY KEY, circuit uuid, in_service boolean)`);
    const registry = customerRegistry(
      {
        name: 'devices',
        meterId: column('device', 'integer', 'bigint'),
        feeder: column('circuit', 'uuid'),
        isActive: column('in_service', 'boolean'),
      },
      { name: 'circuits', key: column('circuit', 'uuid'), feederId: column('circuit', 'uuid') },
    );
    const uuid = '0b5e0f9a-6f5c-4a52-9d4a-1f6d3c1f2a01';
    const file = `meter_id,feeder_id\n0042,${uuid.toUpperCase()}\n42,${uuid}\n7,\n`;
    expect(await load(registry, file)).toEqual([2, 0, 0, 1, 0]);
    expect(await load(registry, file)).toEqual([0, 0, 2, 0, 0]);
    expect(await exported(registry)).toBe(`meter_id,feeder_id,is_active\n42,${uuid},true\n7,,true\n`);
    const refused = load(registry, `meter_id,feeder_id\nM1,${uuid}\n9223372036854775808,\n8,north\n`);
    await expect(refused).rejects.toThrow(
      [
        '  line 2, meter_id must be a whole number, as it is in the registry, not "M1".',
        '  line 3, meter_id is out of the range of the registry\'s column (bigint): "9223372036854775808".',
        '  line 4, feeder_id must be a UUID, as it is in the registry, not "north".',
      ].join('\n'),
    );
    const synthetic = synthesizeFleet(database.pool, registry, 'T', { meterCount: 20, feederCount: 10 });
    await expect(synthetic).rejects.toThrow(
      'The registry of public.devices cannot hold the synthetic fleet: its meter_id must be a whole number, as it is in the registry, not "T-MTR-00020".',
    );
  });

  it('writes to tables without tenants, without feeders, without any key, of mixed case', async () => {
    await run(`CREATE TABLE "Smart Meters" ("Meter No" text, "Feeder ""X""" char(6), "Active?" boolean)`);
    const registry = customerRegistry(
      {
        name: 'Smart Meters',
        meterId: column('Meter No'),
        feeder: column('Feeder "X"', 'text', 'character(6)'),
        isActive: column('Active?', 'boolean'),
      },
      null,
    );
    await run(`INSERT INTO "Smart Meters" VALUES ('M1', 'F1', NULL), ('M2', '', true)`);
    expect(await load(registry, 'meter_id,feeder_id,is_active\nM1,F1,true\nM2,,true\nM3,F1,false\n')).toEqual(
      [1, 0, 2, 0, 0],
    );
    expect(await exported(registry)).toBe(
      'meter_id,feeder_id,is_active\nM1,F1,true\nM3,F1,false\nM2,,true\n',
    );
    await expect(load(registry, 'meter_id,feeder_id,feeder_name\nM1,F1,x\n')).rejects.toThrow(
      'line 1, feeder_name has no place in this registry: leave the column out.',
    );
    const twoTenants = loadFleet(database.pool, registry, {
      file: await folder.file('tenant_id,meter_id,feeder_id\nA,M1,F1\nB,M1,F1\n'),
      tenantId: undefined,
      dryRun: false,
    });
    await expect(twoTenants).rejects.toThrow(
      'line 3, tenant_id is a second tenant, but the registry does not',
    );
  });

  it('leaves alone what it does not speak of: other tenants, and feeders that do not exist', async () => {
    await run(`CREATE TABLE feeders (tenant text, code text, UNIQUE (tenant, code));
      CREATE TABLE meters (tenant text, meter_id text, feeder_id text, is_active boolean);
      INSERT INTO feeders VALUES ('U', 'F1');
      INSERT INTO meters VALUES ('U', 'M1', 'F1', true), ('T', 'M1', 'GONE', true)`);
    const registry = customerRegistry(
      { name: 'meters', tenantId: column('tenant'), isActive: column('is_active', 'boolean') },
      { name: 'feeders', tenantId: column('tenant'), key: column('code') },
    );
    expect(await exported(registry)).toBe('meter_id,feeder_id,is_active\nM1,,true\n');
    expect(await load(registry, await exported(registry))).toEqual([0, 0, 1, 0, 0]);
    expect(await load(registry, 'meter_id,feeder_id,is_active\nM1,,false\n')).toEqual([0, 1, 0, 0, 0]);
    expect(await lines('SELECT * FROM meters ORDER BY 1')).toEqual(['T|M1|GONE|false', 'U|M1|F1|true']);
    expect(await load(registry, 'meter_id,feeder_id\nM1,F1\n')).toEqual([0, 1, 0, 1, 0]);
    expect(await lines('SELECT * FROM meters ORDER BY 1')).toEqual(['T|M1|F1|false', 'U|M1|F1|true']);
  });

  it.each([
    [
      'a meter that is there twice',
      `INSERT INTO meters (serial) VALUES ('M1'), ('M1')`,
      'The table public.meters has a meter of the file more than once ("M1"): leave one row of each, then load again.',
    ],
    [
      'a feeder that is there twice',
      `INSERT INTO feeders (code) VALUES ('F1'), ('F1')`,
      'No meter can be put on feeder "F1": the table public.feeders has it 2 times.',
    ],
    [
      'a feeder that the table spells its own way',
      `CREATE FUNCTION spelt() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.code := lower(NEW.code); RETURN NEW; END $$;
       CREATE TRIGGER spelt BEFORE INSERT ON feeders FOR EACH ROW EXECUTE FUNCTION spelt()`,
      'No meter can be put on feeder "F1": the table public.feeders does not keep it as it is written.',
    ],
    [
      'a column that must have a value',
      `ALTER TABLE feeders ADD voltage int NOT NULL`,
      'The table public.feeders needs a value in its column "voltage" that the load does not have: give the column a default, or insert those rows yourself first.',
    ],
    [
      'a rule of the table',
      `ALTER TABLE meters ADD CONSTRAINT ten CHECK (length(serial) = 10)`,
      'The table public.meters refuses the load: new row for relation "meters" violates check constraint "ten" (Failing row contains (1, M1, 70, null)).',
    ],
    [
      'a view that takes no rows',
      `ALTER TABLE meters RENAME TO devices; CREATE VIEW meters AS SELECT DISTINCT serial, feeder FROM devices`,
      'The table public.meters refuses the load: cannot update view "meters" (Views containing DISTINCT are not automatically updatable).',
    ],
    [
      'a trigger of the table',
      `CREATE FUNCTION refused() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'meters are made elsewhere'; END $$;
       CREATE TRIGGER refused BEFORE INSERT ON meters FOR EACH ROW EXECUTE FUNCTION refused()`,
      'The table public.meters refuses the load: meters are made elsewhere.',
    ],
    [
      'a table that is not there',
      'DROP TABLE meters',
      'A table of the registry is not there (relation "public.meters" does not exist): run npm run migrate first.',
    ],
  ])('says in one sentence what stands in the way: %s', async (_, before, message) => {
    await run(identityTables);
    await run(before);
    const had = await lines('SELECT * FROM feeders');
    await expect(load(identity, 'meter_id,feeder_id\nM1,F1\n')).rejects.toThrow(message);
    expect(await lines('SELECT * FROM feeders')).toEqual(had);
  });

  it('says which right is missing', async () => {
    await run(identityTables);
    await run(`DROP ROLE IF EXISTS fleet_reader; CREATE ROLE fleet_reader LOGIN PASSWORD 'reader';
      GRANT USAGE ON SCHEMA public TO fleet_reader; GRANT SELECT ON meters, feeders TO fleet_reader`);
    const url = new URL(database.url);
    url.username = 'fleet_reader';
    url.password = 'reader';
    const reader = openPool({ connectionString: url.href, max: 1 });
    const file = await folder.file('meter_id,feeder_id\nM1,F1\n');
    const loading = loadFleet(reader, identity, { file, tenantId: 'T', dryRun: false });
    await expect(loading).rejects.toThrow(
      'The role that DATABASE_URL names lacks a right on public.feeders (permission denied for table feeders): GRANT it SELECT, INSERT and UPDATE.',
    );
    await reader.end();
    await run('DROP OWNED BY fleet_reader; DROP ROLE fleet_reader');
  });
});
