import { type ImpossibleCase, REGISTRY, readsTable, SIX_METERS, WITH_READS } from './impossibleBase.js';

const READS_RIGHTS = ['SELECT', 'INSERT', 'UPDATE', 'TRIGGER'];
const CREATE_RIGHTS = `GRANT USAGE, CREATE ON SCHEMA public TO {{role}};
  DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO {{role}}', current_database()); END $$;`;
const REGISTRY_RIGHTS = 'GRANT SELECT ON feeders, meters TO {{role}};';
const ALL_ON_READS = `GRANT ${READS_RIGHTS.join(', ')} ON meter_reads_electric TO {{role}};`;

/** What a role of the utility's may lack; each alone, with all the rest granted. */
export const IMPOSSIBLE_FOR_ROLE: ImpossibleCase[] = [
  ...READS_RIGHTS.map((lacking) => ({
    name: `a role without ${lacking} on the reads`,
    sql: `${WITH_READS}${CREATE_RIGHTS}${REGISTRY_RIGHTS}
      GRANT ${READS_RIGHTS.filter((right) => right !== lacking).join(', ')} ON meter_reads_electric TO {{role}};`,
    asRole: true,
    says: ['{{role}}', lacking, 'public.meter_reads_electric', 'GRANT'],
    mends: true,
  })),
  ...['feeders', 'meters'].map((table) => ({
    name: `a role without SELECT on ${table}`,
    sql: `${WITH_READS}${CREATE_RIGHTS}${ALL_ON_READS}GRANT SELECT ON ${table === 'feeders' ? 'meters' : 'feeders'} TO {{role}};`,
    asRole: true,
    says: ['{{role}}', 'SELECT', `public.${table}`, 'GRANT'],
    mends: true,
  })),
  {
    name: 'a role without SELECT on a KPI view',
    sql: `${WITH_READS}${CREATE_RIGHTS}${ALL_ON_READS}${REGISTRY_RIGHTS}
      CREATE VIEW v_kpi_fieldops_daily AS SELECT tenant_id, read_at::date AS day, feeder_id FROM meter_reads_electric;`,
    asRole: true,
    says: ['{{role}}', 'SELECT', 'public.v_kpi_fieldops_daily', 'GRANT'],
    mends: true,
  },
  {
    name: 'a role that may create nothing in the schema',
    sql: `${WITH_READS}${CREATE_RIGHTS}${ALL_ON_READS}${REGISTRY_RIGHTS}REVOKE CREATE ON SCHEMA public FROM {{role}};`,
    asRole: true,
    says: ['{{role}}', 'CREATE', 'schema public', 'GRANT'],
    mends: true,
  },
  {
    name: "a role that may not make the queue's schema",
    sql: `${WITH_READS}${CREATE_RIGHTS}${ALL_ON_READS}${REGISTRY_RIGHTS}
      DO $$ BEGIN EXECUTE format('REVOKE CREATE ON DATABASE %I FROM {{role}}', current_database()); END $$;`,
    asRole: true,
    says: ['{{role}}', 'bullmq', 'GRANT CREATE ON DATABASE'],
    mends: true,
  },
  {
    name: 'a schema on the search path that is closed to the role',
    sql: `CREATE SCHEMA mdm; SET search_path = mdm, public;${WITH_READS}SET search_path = public;
      ${CREATE_RIGHTS}ALTER ROLE {{role}} SET search_path = mdm, public;
      GRANT SELECT ON mdm.feeders, mdm.meters TO {{role}};GRANT ${READS_RIGHTS.join(', ')} ON mdm.meter_reads_electric TO {{role}};`,
    asRole: true,
    says: ['{{role}}', 'schema mdm', 'GRANT USAGE ON SCHEMA'],
    mends: false, // What is ours would then go to mdm, where the role may not create: a second sentence.
  },
  {
    name: 'row-level security that hides reads',
    sql: `${WITH_READS}${CREATE_RIGHTS}${ALL_ON_READS}${REGISTRY_RIGHTS}
      ALTER TABLE meter_reads_electric ENABLE ROW LEVEL SECURITY;
      CREATE POLICY by_tenant ON meter_reads_electric USING (tenant_id = current_setting('app.tenant', true));`,
    asRole: true,
    says: ['{{role}}', 'public.meter_reads_electric', 'ow-level security', 'CREATE POLICY'],
    mends: true,
  },
  {
    name: 'row-level security that hides meters',
    sql: `${WITH_READS}${CREATE_RIGHTS}${ALL_ON_READS}${REGISTRY_RIGHTS}
      ALTER TABLE meters ENABLE ROW LEVEL SECURITY;`,
    asRole: true,
    says: ['{{role}}', 'public.meters', 'ow-level security', 'CREATE POLICY'],
    mends: true,
  },
  {
    name: "a column to add to another's table",
    sql: `${REGISTRY}${readsTable({ delivered_kwh: null })}${SIX_METERS}${CREATE_RIGHTS}${ALL_ON_READS}${REGISTRY_RIGHTS}`,
    asRole: true,
    says: ['{{role}}', 'public.meter_reads_electric', 'delivered_kwh', 'own', 'ALTER TABLE'],
    mends: true,
  },
  {
    name: "a key to add to another's table",
    sql: `${REGISTRY}${readsTable({}, { key: '' })}${SIX_METERS}${CREATE_RIGHTS}${ALL_ON_READS}${REGISTRY_RIGHTS}`,
    asRole: true,
    says: ['{{role}}', 'public.meter_reads_electric', 'unique', 'own', 'ALTER TABLE'],
    mends: true,
  },
  {
    name: "a serial's sequence that the role may not use",
    sql: `${REGISTRY}${readsTable({ id: 'bigserial PRIMARY KEY' })}${SIX_METERS}${CREATE_RIGHTS}${ALL_ON_READS}${REGISTRY_RIGHTS}`,
    asRole: true,
    says: ['{{role}}', 'meter_reads_electric_id_seq', 'GRANT USAGE ON SEQUENCE'],
    mends: true,
  },
];
