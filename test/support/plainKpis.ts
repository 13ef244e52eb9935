/**
 * The rollups and the KPI views as plain SQL over `meter_reads_electric`, written without them: what they must
 * always agree with, and what the benchmark holds them against. `$1` of each is the tenant.
 */

const LOW = 'voltage < 114';
const MEASURED = '(abs(kwh) < 10000 AND abs(coalesce(delivered_kwh, 0)) < 10000)';
const UNDERREGISTERED = `${MEASURED} AND delivered_kwh > 0 AND delivered_kwh - kwh > 0.15 * delivered_kwh AND delivered_kwh - kwh > 0.0005`;
const DAY = `(read_at AT TIME ZONE 'UTC')::date`;
const QUARTER_HOUR = `date_bin('15 min', read_at, '2000-01-01Z')`;
const KWH = `coalesce(sum(kwh) FILTER (WHERE ${MEASURED}), 0)`;
const DELIVERED = `coalesce(sum(delivered_kwh) FILTER (WHERE ${MEASURED}), 0)`;
const IMPLAUSIBLE = `count(*) FILTER (WHERE NOT ${MEASURED})`;
const FED_IN = `${MEASURED} AND abs(received_kwh) < 10000`;
const RECEIVED = `sum(received_kwh) FILTER (WHERE ${FED_IN})`;
const SUMS = `count(*) AS reads, ${KWH} AS kwh,
  coalesce(sum(kwh) FILTER (WHERE delivered_kwh IS NULL AND ${MEASURED}), 0) AS unmetered_kwh,
  ${DELIVERED} AS delivered_kwh, min(voltage) AS min_voltage,
  count(*) FILTER (WHERE ${LOW}) AS low_voltage_reads, count(*) FILTER (WHERE voltage > 126) AS high_voltage_reads,
  ${IMPLAUSIBLE} AS implausible_reads, ${RECEIVED} AS received_kwh, count(*) FILTER (WHERE ${FED_IN}) AS received_reads`;
const ANOMALIES = `count(*) FILTER (WHERE ${UNDERREGISTERED}) AS underregistered_reads,
  coalesce(sum(kwh) FILTER (WHERE ${UNDERREGISTERED}), 0) AS registered_kwh,
  coalesce(sum(delivered_kwh) FILTER (WHERE ${UNDERREGISTERED}), 0) AS delivered_kwh,
  min(read_at) FILTER (WHERE ${UNDERREGISTERED}) AS first_underregistered_at,
  max(read_at) FILTER (WHERE ${UNDERREGISTERED}) AS last_underregistered_at`;
const METERED = `sum(kwh) FILTER (WHERE delivered_kwh IS NOT NULL AND ${MEASURED})`;
const LOSS = `round(100 * (${DELIVERED} - ${METERED}) / nullif(${DELIVERED}, 0), 3)`;
/** The most reads of one interval, per feeder and day, and what is expected of a feeder by the week's best. */
const EXPECTED = `
  busiest AS (
    SELECT day, feeder_id, max(reads) AS reads FROM (
      SELECT ${DAY} AS day, feeder_id, read_at, count(*) AS reads FROM meter_reads_electric WHERE tenant_id = $1 GROUP BY 1, 2, 3
    ) intervals GROUP BY 1, 2
  ), expected AS (
    SELECT days.day, feeder_id, max(reads) AS meters FROM (SELECT DISTINCT day FROM busiest) days
    JOIN busiest ON busiest.day BETWEEN days.day - 7 AND days.day GROUP BY 1, 2
  )`;

/** Each rollup table with the columns to compare and the same from the reads. */
export const ROLLUPS = {
  ami_feeder_intervals: {
    columns:
      'read_at, feeder_id, reads, kwh, unmetered_kwh, delivered_kwh, min_voltage, low_voltage_reads, high_voltage_reads, implausible_reads, received_kwh, received_reads, meters_fingerprint',
    truth: `SELECT read_at, feeder_id, ${SUMS}, sum(hashtextextended(meter_id, 0)) FROM meter_reads_electric WHERE tenant_id = $1 GROUP BY 1, 2`,
  },
  ami_feeder_days: {
    columns: `day, feeder_id, reads, kwh, unmetered_kwh, delivered_kwh, min_voltage, low_voltage_reads, high_voltage_reads,
      implausible_reads, received_kwh, received_reads, bit_count(quarter_hours) + bit_count(further_quarter_hours), max_interval_reads, latest_read_at`,
    truth: `WITH ${EXPECTED}
      SELECT counted.*, busiest.reads, latest FROM (
        SELECT ${DAY} AS day, feeder_id, ${SUMS}, count(DISTINCT ${QUARTER_HOUR})
        FROM meter_reads_electric WHERE tenant_id = $1 GROUP BY 1, 2
      ) counted JOIN busiest USING (day, feeder_id)
      JOIN (SELECT ${DAY} AS day, feeder_id, max(read_at) AS latest FROM meter_reads_electric WHERE tenant_id = $1 GROUP BY 1, 2) ends
        USING (day, feeder_id)`,
  },
  ami_meter_anomalies: {
    columns: `day, feeder_id, meter_id, underregistered_reads, registered_kwh, delivered_kwh, first_underregistered_at,
      last_underregistered_at, low_voltage_reads, min_voltage`,
    truth: `SELECT ${DAY} AS day, feeder_id, meter_id, ${ANOMALIES}, count(*) FILTER (WHERE ${LOW}), min(voltage) FILTER (WHERE ${LOW})
      FROM meter_reads_electric WHERE tenant_id = $1 AND (${LOW} OR ${UNDERREGISTERED}) GROUP BY 1, 2, 3`,
  },
  ami_known_meters: {
    columns: 'meter_id',
    truth: 'SELECT DISTINCT meter_id FROM meter_reads_electric WHERE tenant_id = $1',
  },
} as const;

/** Each KPI view with the columns to compare and the same from the reads. */
export const KPI_VIEWS = {
  v_kpi_electric_overview_daily: {
    columns: `day, feeders, intervals, reads, expected_meters, completeness_pct, kwh, delivered_kwh, loss_pct, min_voltage,
      low_voltage_reads, high_voltage_reads, latest_read_at, implausible_reads, received_kwh`,
    truth: `WITH ${EXPECTED}
      SELECT day, count(DISTINCT feeder_id), count(DISTINCT ${QUARTER_HOUR}), count(*), meters,
             least(100, round(100.0 * count(*) / (count(DISTINCT ${QUARTER_HOUR}) * meters), 3)),
             ${KWH}, ${DELIVERED}, ${LOSS}, min(voltage),
             count(*) FILTER (WHERE ${LOW}), count(*) FILTER (WHERE voltage > 126), max(read_at), ${IMPLAUSIBLE}, ${RECEIVED}
      FROM (SELECT *, ${DAY} AS day FROM meter_reads_electric WHERE tenant_id = $1) reads
      JOIN (SELECT day, sum(meters) AS meters FROM expected GROUP BY day) expected USING (day)
      GROUP BY day, meters`,
  },
  v_kpi_electric_feeder_loss_daily: {
    columns:
      'day, feeder_id, reads, kwh, delivered_kwh, loss_pct, min_voltage, implausible_reads, received_kwh',
    truth: `SELECT ${DAY} AS day, feeder_id, count(*), ${KWH}, ${DELIVERED}, ${LOSS}, min(voltage), ${IMPLAUSIBLE}, ${RECEIVED}
      FROM meter_reads_electric WHERE tenant_id = $1 GROUP BY 1, 2`,
  },
  v_kpi_suspicious_meters_daily: {
    columns:
      'day, feeder_id, meter_id, suspicious_intervals, registered_kwh, delivered_kwh, first_interval_at, last_interval_at',
    truth: `SELECT ${DAY} AS day, feeder_id, meter_id, ${ANOMALIES}
      FROM meter_reads_electric WHERE tenant_id = $1 AND ${UNDERREGISTERED} GROUP BY 1, 2, 3`,
  },
  v_kpi_fieldops_daily: {
    columns:
      'day, feeder_id, expected_meters, silent_meters, undervoltage_meters, min_voltage, completeness_pct',
    truth: `WITH ${EXPECTED}, days AS (
        SELECT ${DAY} AS day, max(read_at) FILTER (WHERE read_at <= now() AND read_at = ${QUARTER_HOUR}) AS latest, count(DISTINCT ${QUARTER_HOUR}) AS intervals
        FROM meter_reads_electric WHERE tenant_id = $1 GROUP BY 1
      )
      SELECT day, feeder_id, meters,
             CASE WHEN latest IS NOT NULL THEN meters - count(meter_id) FILTER (WHERE read_at = latest) END,
             count(DISTINCT meter_id) FILTER (WHERE ${LOW}), min(voltage),
             least(100, round(100.0 * count(meter_id) / (meters * intervals), 3))
      FROM expected JOIN days USING (day)
      LEFT JOIN (SELECT *, ${DAY} AS day FROM meter_reads_electric WHERE tenant_id = $1) reads USING (day, feeder_id)
      GROUP BY day, feeder_id, meters, intervals, latest`,
  },
} as const;

/**
 * A query for the rows in which a rollup or view and its truth differ; none is right.
 *
 * @param zone whose days are meant, by the rules of Postgres.
 */
export function differenceQuery(name: keyof typeof ROLLUPS | keyof typeof KPI_VIEWS, zone = 'UTC'): string {
  const { columns, truth: ofUtc } = { ...ROLLUPS, ...KPI_VIEWS }[name];
  const truth = ofUtc.replaceAll(DAY, `(read_at AT TIME ZONE '${zone}')::date`);
  const kept = `SELECT ${columns} FROM ${name} WHERE tenant_id = $1`;
  return `WITH kept AS (${kept}), truth AS (${truth})
    SELECT 'kept' AS side, kept_only::text AS row FROM (TABLE kept EXCEPT ALL TABLE truth) kept_only
    UNION ALL SELECT 'truth', truth_only::text FROM (TABLE truth EXCEPT ALL TABLE kept) truth_only`;
}
