import {
  type ColumnKind,
  KPI_VIEWS,
  type KpiViewMapping,
  type KpiViewName,
  type MappedColumn,
  type SchemaMapping,
} from '../mapping.js';

function own(name: string, kind: ColumnKind, type: string = kind): MappedColumn {
  const collation = kind === 'text' ? 'pg_catalog."C"' : null;
  return { name, type, baseType: type, kind, notNull: false, collation, source: 'own' };
}

/** The mapping of a database in which GridLens made everything. */
export function ownMapping(schema: string): SchemaMapping {
  const tenantId = own('tenant_id', 'text');
  const kpiView = (name: KpiViewName): KpiViewMapping => ({ view: { schema, name }, own: true, columns: {} });
  return {
    ownSchema: schema,
    reads: {
      table: { schema, name: 'meter_reads_electric' },
      own: true,
      columns: {
        tenantId,
        meterId: own('meter_id', 'text'),
        feederId: own('feeder_id', 'text'),
        readAt: own('read_at', 'timestamptz', 'timestamp with time zone'),
        kwh: own('kwh', 'numeric'),
        deliveredKwh: own('delivered_kwh', 'numeric'),
        receivedKwh: own('received_kwh', 'numeric'),
        voltage: own('voltage', 'numeric'),
        qualityFlags: own('quality_flags', 'text[]'),
        createdAt: own('created_at', 'timestamptz', 'timestamp with time zone'),
        updatedAt: own('updated_at', 'timestamptz', 'timestamp with time zone'),
      },
      filled: [],
      key: {
        name: 'meter_reads_electric_key',
        columns: ['tenant_id', 'meter_id', 'read_at'],
        source: 'own',
      },
    },
    registry: {
      meters: {
        table: { schema, name: 'meters' },
        own: true,
        tenantId,
        meterId: own('meter_id', 'text'),
        feeder: own('feeder_id', 'text'),
        isActive: own('is_active', 'boolean'),
      },
      feeders: {
        table: { schema, name: 'feeders' },
        own: true,
        tenantId,
        key: own('feeder_id', 'text'),
        feederId: own('feeder_id', 'text'),
        aliases: [own('name', 'text')],
      },
    },
    kpiViews: Object.fromEntries(KPI_VIEWS.map((name) => [name, kpiView(name)])) as SchemaMapping['kpiViews'],
  };
}
