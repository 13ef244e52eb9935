import { describe, expect, it } from 'vitest';
import {
  comparable,
  KPI_VIEW_COLUMNS,
  mapKpiView,
  type ViewColumn,
} from '../../src/schema/detect/kpiViewColumns.js';
import { type ColumnKind, KPI_VIEWS, type KpiViewName } from '../../src/schema/mapping.js';

const OVERVIEW = 'v_kpi_electric_overview_daily';
const SUSPICIOUS = 'v_kpi_suspicious_meters_daily';

const column = (name: string, kind: ColumnKind = 'numeric'): ViewColumn => ({
  name,
  kind,
  type: kind,
  baseType: kind,
  notNull: false,
  collation: null,
});
/** Canonical name → the view's name, of what was found. */
const found = (view: KpiViewName, ...columns: ViewColumn[]): Record<string, string> =>
  Object.fromEntries(
    Object.entries(mapKpiView(columns, view)).flatMap(([canonical, mapped]) =>
      mapped ? [[canonical, mapped.name]] : [],
    ),
  );

describe('columns of a customer’s KPI view', () => {
  it.each([
    'loss_pct',
    'LOSS_PCT',
    'lossPct',
    'LossPct',
    'Loss %',
    'loss percent',
    'Loss_Percentage',
    'PctLoss',
  ])('knows %s as loss_pct', (name) => expect(found(OVERVIEW, column(name))).toEqual({ loss_pct: name }));

  it('has every meaning, null where there is no column for it', () => {
    for (const view of KPI_VIEWS) {
      const mapped = mapKpiView([column('something')], view);
      expect(Object.keys(mapped)).toEqual(Object.keys(KPI_VIEW_COLUMNS[view]));
      expect(new Set(Object.values(mapped))).toEqual(new Set([null]));
    }
  });

  it('lists no name for two meanings of one view, so that no order of columns decides', () => {
    for (const view of KPI_VIEWS) {
      const names = Object.entries(KPI_VIEW_COLUMNS[view]).flatMap(([canonical, { names }]) =>
        [canonical, ...names].map(comparable),
      );
      expect(
        names.filter((name, index) => names.indexOf(name) !== index),
        view,
      ).toEqual([]);
    }
  });

  it('prefers the canonical name, wherever it stands, then the likeliest known one', () => {
    const columns = [column('Loss %'), column('line_loss_pct'), column('loss_pct')];
    expect(mapKpiView(columns, OVERVIEW).loss_pct).toMatchObject({ name: 'loss_pct', source: 'same name' });
    expect(mapKpiView(columns.slice(0, 2), OVERVIEW).loss_pct).toMatchObject({
      name: 'Loss %',
      source: 'known name',
    });
    expect(found(OVERVIEW, column('consumption_kwh'), column('total_kwh'))).toEqual({ kwh: 'total_kwh' });
  });

  it('takes a column only for what it can be read as', () => {
    expect(
      found(OVERVIEW, column('loss_pct', 'text'), column('reads', 'json'), column('day', 'text')),
    ).toEqual({});
    expect(found(OVERVIEW, column('loss_pct', 'text'), column('line_loss_pct'))).toEqual({
      loss_pct: 'line_loss_pct',
    });
    expect(
      found(OVERVIEW, column('tenant_id', 'uuid'), column('Date', 'timestamp'), column('reads', 'integer')),
    ).toEqual({ tenant_id: 'tenant_id', day: 'Date', reads: 'reads' });
    expect(found(SUSPICIOUS, column('first_seen', 'date'), column('last_seen', 'timestamptz'))).toEqual({
      last_interval_at: 'last_seen',
    });
  });

  it('reads the same name by the view it stands in, and each column once', () => {
    const columns = [column('meter', 'integer'), column('kwh'), column('delivered_kwh'), column('loss_kwh')];
    expect(found(OVERVIEW, ...columns)).toEqual({
      kwh: 'kwh',
      delivered_kwh: 'delivered_kwh',
      loss_kwh: 'loss_kwh',
    });
    expect(found(SUSPICIOUS, ...columns)).toEqual({
      meter_id: 'meter',
      registered_kwh: 'kwh',
      delivered_kwh: 'delivered_kwh',
      missing_kwh: 'loss_kwh',
    });
  });

  it('takes a fraction where there is no percentage', () => {
    expect(found(OVERVIEW, column('loss_ratio'))).toEqual({ loss_fraction: 'loss_ratio' });
    expect(found(OVERVIEW, column('loss_fraction'), column('line_loss_percent'))).toEqual({
      loss_pct: 'line_loss_percent',
    });
    expect(found(SUSPICIOUS, column('loss_ratio'))).toEqual({ missing_fraction: 'loss_ratio' });
  });

  it('leaves alone what is as often something else', () => {
    const names = ['energy', 'usage', 'meters', 'meter_count', 'loss', 'loss_rate', 'mwh', 'low_voltage'];
    expect(found(OVERVIEW, ...names.map((name) => column(name)), column('customer_id', 'text'))).toEqual({});
  });
});
