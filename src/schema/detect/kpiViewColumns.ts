import type { ColumnKind, KpiViewMapping, KpiViewName, MappedColumn } from '../mapping.js';
import { normalised } from './catalog.js';
import { FEEDER_NAMES, METER_NAMES, TENANT_NAMES } from './knownNames.js';

/** What a canonical column of a KPI view is read as. */
export type KpiColumnKind = 'day' | 'text' | 'number' | 'instant';

export interface KpiColumn {
  kind: KpiColumnKind;
  /** Further names its meaning goes by, the likeliest first; compared as `comparable` has them. */
  names: readonly string[];
  /** For a fraction of 1: the column of percent that it stands in for where the view has none of that. */
  standsInFor?: string;
}

/**
 * Kinds of columns that can be read as what is wanted. Text is never taken for a number or a day: one cell that is
 * neither would fail every answer. Anything can be shown as text.
 */
const READABLE: Record<KpiColumnKind, readonly ColumnKind[] | 'any'> = {
  day: ['date', 'timestamp', 'timestamptz'],
  text: 'any',
  number: ['numeric', 'integer'],
  instant: ['timestamptz', 'timestamp'],
};

const words = (list: string): string[] => list.trim().split(/\s+/);
const text = (names: string): KpiColumn => ({ kind: 'text', names: words(names) });
const number = (names: string): KpiColumn => ({ kind: 'number', names: words(names) });
const instant = (names: string): KpiColumn => ({ kind: 'instant', names: words(names) });
const fractionOf = (standsInFor: string, names: string): KpiColumn => ({ ...number(names), standsInFor });

// Left out on purpose, since each is as often something else: `energy` and `usage` (Wh, kWh, MWh?), `meters` and
// `meter_count` (expected or reporting?), `loss` (kWh or percent?), `loss_rate` (percent or fraction?), `customer_id`
// (the tenant or the household?), `low_voltage` (volts or a count?), `severity` and `score` (of which the highest,
// not the lowest, is the most urgent).

/** One of the lists that the other tables are looked through with: its first name is the canonical one. */
const sameAsElsewhere = ([, ...names]: readonly string[]): KpiColumn => ({ kind: 'text', names });
const tenantId = sameAsElsewhere(TENANT_NAMES);
const meterId = sameAsElsewhere(METER_NAMES);
const feederId = sameAsElsewhere(FEEDER_NAMES);
const day: KpiColumn = {
  kind: 'day',
  names:
    words(`date kpi_date kpi_day read_date reading_date report_date reporting_date service_date dt business_date
    usage_date metric_date as_of_date calendar_date summary_date read_day reading_day report_day service_day
    business_day calendar_day date_day day_date utc_day local_day day_utc the_date the_day`),
};
const reads =
  number(`read_count reads_count total_reads num_reads n_reads number_of_reads count_reads reads_received
  received_reads reads_arrived actual_reads readings reading_count readings_count total_readings num_readings`);
const METERED_KWH = `total_kwh kwh_total sum_kwh energy_kwh consumed_kwh kwh_consumed metered_kwh kwh_metered
  consumption_kwh kwh_consumption usage_kwh kwh_usage measured_kwh recorded_kwh daily_kwh total_energy_kwh billed_kwh
  sold_kwh sales_kwh`;
const kwh = number(`registered_kwh kwh_registered ${METERED_KWH}`);
const deliveredKwh = number(`kwh_delivered total_delivered_kwh delivered_kwh_total delivered_energy_kwh
  energy_delivered_kwh supplied_kwh kwh_supplied supply_kwh sent_out_kwh sent_kwh input_kwh kwh_input kwh_in
  energy_in_kwh feeder_kwh feeder_input_kwh feeder_head_kwh substation_kwh transformer_kwh injected_kwh purchased_kwh`);
/** Only names that say which way it flowed; the canonical one is taken as it is meant here. */
const receivedKwh = number(`kwh_received fed_in_kwh feed_in_kwh kwh_fed_in exported_kwh kwh_exported
  customer_export_kwh solar_export_kwh backfeed_kwh`);
const lossKwh =
  number(`losses_kwh kwh_loss kwh_losses kwh_lost lost_kwh total_loss_kwh line_loss_kwh line_losses_kwh
  energy_loss_kwh feeder_loss_kwh unaccounted_kwh`);
const lossPct =
  number(`pct_loss losses_pct line_loss_pct line_losses_pct pct_line_loss total_loss_pct energy_loss_pct
  feeder_loss_pct system_loss_pct distribution_loss_pct daily_loss_pct avg_loss_pct average_loss_pct loss_rate_pct
  kwh_loss_pct loss_kwh_pct unaccounted_pct`);
const lossFraction = fractionOf(
  'loss_pct',
  'loss_ratio losses_fraction line_loss_fraction line_loss_ratio loss_pu',
);
const minVoltage =
  number(`minimum_voltage voltage_min lowest_voltage min_volts minimum_volts min_volt volts_min
  lowest_volts min_voltage_v min_v v_min`);
const completenessPct = number(`pct_complete complete_pct data_completeness_pct read_completeness_pct
  reads_completeness_pct completeness_rate_pct reporting_pct pct_reporting reads_received_pct read_rate_pct
  read_success_pct read_success_rate_pct coverage_pct`);
const completenessFraction = fractionOf(
  'completeness_pct',
  'completeness_ratio reporting_fraction reporting_ratio',
);
const estimatedPct = number(`pct_estimated estimated_reads_pct reads_estimated_pct estimation_pct estimate_pct
  estimated_share_pct`);
const expectedMeters = number(`meters_expected expected_meter_count expected_meters_count num_expected_meters
  installed_meters meters_installed`);

/**
 * The columns that the product reads of each KPI view, and what else a customer's view may call them. No name is
 * listed twice for one view.
 */
export const KPI_VIEW_COLUMNS: Readonly<Record<KpiViewName, Readonly<Record<string, KpiColumn>>>> = {
  v_kpi_electric_overview_daily: {
    tenant_id: tenantId,
    day,
    feeders: number('feeder_count feeders_count num_feeders n_feeders number_of_feeders total_feeders'),
    intervals: number(
      'interval_count intervals_count num_intervals n_intervals number_of_intervals total_intervals',
    ),
    reads,
    expected_meters: expectedMeters,
    completeness_pct: completenessPct,
    completeness_fraction: completenessFraction,
    kwh,
    delivered_kwh: deliveredKwh,
    received_kwh: receivedKwh,
    loss_kwh: lossKwh,
    loss_pct: lossPct,
    loss_fraction: lossFraction,
    min_voltage: minVoltage,
    low_voltage_reads:
      number(`low_voltage_read_count low_voltage_readings low_voltage_count undervoltage_reads
      undervoltage_read_count undervoltage_readings undervoltage_count sag_reads`),
    implausible_reads: number('implausible_read_count implausible_readings implausible_count'),
    estimated_pct: estimatedPct,
  },
  v_kpi_electric_feeder_loss_daily: {
    tenant_id: tenantId,
    day,
    feeder_id: feederId,
    reads,
    kwh,
    delivered_kwh: deliveredKwh,
    received_kwh: receivedKwh,
    loss_kwh: lossKwh,
    loss_pct: lossPct,
    loss_fraction: lossFraction,
    min_voltage: minVoltage,
  },
  v_kpi_suspicious_meters_daily: {
    tenant_id: tenantId,
    day: {
      kind: 'day',
      names: [...day.names, 'flag_date', 'flagged_date', 'detected_date', 'detection_date'],
    },
    meter_id: meterId,
    feeder_id: feederId,
    suspicious_intervals:
      number(`suspicious_interval_count suspicious_reads suspicious_read_count suspicious_count
      suspect_intervals suspect_reads flagged_intervals flagged_reads flag_count anomalous_intervals anomalous_reads
      anomaly_count anomalies underregistered_intervals underregistered_reads`),
    registered_kwh: number(`kwh_registered kwh actual_kwh ${METERED_KWH}`),
    delivered_kwh: deliveredKwh,
    missing_kwh:
      number(`kwh_missing unregistered_kwh shortfall_kwh kwh_shortfall deficit_kwh stolen_kwh theft_kwh
      diverted_kwh unmetered_kwh suspected_loss_kwh estimated_loss_kwh loss_kwh ${lossKwh.names.join(' ')}`),
    missing_pct:
      number(`pct_missing unregistered_pct shortfall_pct deficit_pct stolen_pct theft_pct diverted_pct
      missing_kwh_pct loss_pct ${lossPct.names.join(' ')}`),
    missing_fraction: fractionOf(
      'missing_pct',
      `missing_ratio loss_fraction ${lossFraction.names.join(' ')}`,
    ),
    first_interval_at:
      instant(`first_interval first_suspicious_at first_flagged_at first_anomaly_at first_detected_at
      first_seen_at first_seen first_at started_at start_at start_time`),
    last_interval_at:
      instant(`last_interval last_suspicious_at last_flagged_at last_anomaly_at last_detected_at
      last_seen_at last_seen last_at ended_at end_at end_time`),
    reason:
      text(`reasons reason_text suspicion_reason flag_reason anomaly_reason explanation why description details
      anomaly_type reason_code`),
  },
  v_kpi_fieldops_daily: {
    tenant_id: tenantId,
    day,
    feeder_id: feederId,
    priority: number(`priority_rank priority_no priority_number priority_order dispatch_priority work_priority
      dispatch_rank urgency_rank rank`),
    expected_meters: expectedMeters,
    silent_meters: number(`silent_meter_count meters_silent non_reporting_meters meters_non_reporting
      not_reporting_meters meters_not_reporting missing_meters meters_missing offline_meters meters_offline
      dead_meters stale_meters unreachable_meters non_communicating_meters meters_not_communicating no_read_meters`),
    undervoltage_meters: number(`undervoltage_meter_count meters_undervoltage low_voltage_meters
      low_voltage_meter_count meters_low_voltage meters_with_low_voltage sag_meters`),
    min_voltage: minVoltage,
    completeness_pct: completenessPct,
    completeness_fraction: completenessFraction,
    reason:
      text(`reasons reason_text work_reason dispatch_reason recommended_action action work_type issue explanation
      why description details reason_code`),
    estimated_pct: estimatedPct,
  },
};

/** Normalised, and "%", "percent" and "percentage" are "pct": `Loss %` is `losspct`. */
export function comparable(name: string): string {
  return normalised(name.replaceAll('%', 'pct')).replace(/percent(age)?/g, 'pct');
}

/** A column as the catalog has it, before it is known what it means. */
export type ViewColumn = Omit<MappedColumn, 'source'>;

/**
 * Which of a view's columns carries which meaning; null for a meaning that none carries. The canonical name itself
 * comes first for every meaning, then the known names in their order; a column serves one meaning only.
 */
export function mapKpiView(columns: readonly ViewColumn[], view: KpiViewName): KpiViewMapping['columns'] {
  const wanted = Object.entries(KPI_VIEW_COLUMNS[view]);
  const taken = new Set<ViewColumn>();
  const mapped: Record<string, MappedColumn | null> = Object.fromEntries(
    wanted.map(([name]) => [name, null]),
  );
  const take = (canonical: string, { kind }: KpiColumn, isNamed: (name: string) => boolean): void => {
    if (mapped[canonical]) return;
    const found = columns.find(
      (column) => !taken.has(column) && isReadable(column.kind, kind) && isNamed(column.name),
    );
    if (!found) return;
    taken.add(found);
    mapped[canonical] = { ...found, source: found.name === canonical ? 'same name' : 'known name' };
  };
  for (const [canonical, column] of wanted) take(canonical, column, (name) => name === canonical);
  for (const [canonical, column] of wanted)
    for (const known of [canonical, ...column.names])
      take(canonical, column, (name) => comparable(name) === comparable(known));
  for (const [canonical, { standsInFor }] of wanted)
    if (standsInFor !== undefined && mapped[standsInFor]) mapped[canonical] = null;
  return mapped;
}

function isReadable(kind: ColumnKind, as: KpiColumnKind): boolean {
  const readable = READABLE[as];
  return readable === 'any' || readable.includes(kind);
}
