/**
 * The names that a meaning goes by in utilities' databases: normalised (lower case, letters and digits), the most
 * telling first. The first of each list is the canonical name. docs/SCHEMA_MAPPING.md shows them.
 */

export const TABLE_NAMES = {
  reads: ['meterreadselectric'],
  meters: ['meters', 'meter', 'electricmeters'],
  feeders: ['feeders', 'feeder', 'electricfeeders', 'circuits'],
} as const;

export const TENANT_NAMES = words(
  'tenant_id tenant tenant_code tenant_key tenant_name utility_id utility_code organization_id',
  'organisation_id org_id org_code',
);

/** What a meter goes by, outside the registry and in it. */
export const METER_NAMES = words(
  'meter_id meter_number meter_no meter_num meter_code meter_serial meter_serial_number serial_number serial_no',
  'meter_name meter_ref meter_key meter_pk meter device_id device_no device_number device_serial endpoint_id mrid',
  'badge_number badge_no service_point_id usage_point_id sp_id',
);
/** In a table of meters these too name the meter. */
export const METER_OWN_NAMES = words('id uuid guid code number name');

export const FEEDER_NAMES = words(
  'feeder_id feeder_code feeder_no feeder_number feeder_num feeder feeder_name feeder_key feeder_pk feeder_ref',
  'feeder_uuid circuit_id circuit_code circuit_no circuit_number circuit circuit_name',
);
/** What identifies a feeder in a table of feeders, the business identifiers first. */
export const FEEDER_OWN_NAMES = words(
  'feeder_id feeder_code code feeder_no feeder_number circuit_id circuit_code circuit_no number feeder_name',
  'circuit_name name label id feeder_key feeder_pk uuid guid',
);
export const ACTIVE_NAMES = words('is_active active in_service is_in_service enabled is_enabled');

/** The start of the interval. */
export const READ_AT_NAMES = words(
  'read_at reading_at read_ts reading_ts read_time reading_time read_timestamp reading_timestamp read_datetime',
  'reading_datetime read_date_time reading_date_time read_dt reading_dt read_dttm read_at_utc read_time_utc',
  'interval_start interval_start_at interval_start_ts interval_start_time interval_start_utc interval_begin',
  'interval_at interval_ts interval_time interval_timestamp period_start start_time start_at start_ts',
  'timestamp timestamp_utc ts ts_utc datetime date_time time measured_at measurement_time sampled_at recorded_at',
  'utc_time event_time',
);
/** Timestamps that are about the row and not about the interval: never taken for its start. */
export const NOT_READ_AT =
  /^(created|updated|inserted|loaded|load|ingest|received|modified|lastmodified|changed|imported|processed|deleted|valid|expires|install)/;

/** Whether a name says that it is the end of an interval: `interval_end_utc`, `hourEnding`, `period_to`. */
export function isEnd(name: string): boolean {
  const words = name
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z]+/);
  const plain = words.join('');
  return (
    words.some((word) => END_WORDS.includes(word)) ||
    /(interval|period|read|reading|hour)(end|ending|ended)/.test(plain)
  );
}
const END_WORDS = [
  'end',
  'ending',
  'ended',
  'endat',
  'endts',
  'endtime',
  'enddt',
  'to',
  'until',
  'till',
  'thru',
];

/** A meter's register counts up for ever; it is no interval's energy. */
export const CUMULATIVE = /cumul|register(?!ed)|odometer|index|totaliz|dial/;

/**
 * What the meter registered, kWh per interval. `kwh_delivered` is what head-ends call it, seen from the utility;
 * only beside another kWh column is it what the utility's side measured.
 */
export const KWH_NAMES = words(
  'kwh kwh_registered registered_kwh kwh_interval interval_kwh kwh_usage usage_kwh kwh_used kwh_consumed consumed_kwh',
  'consumption_kwh kwh_consumption energy_kwh kwh_energy active_energy_kwh kwh_import import_kwh energy consumption usage',
  'kwh_value kwh_reading kwh_read kwh_total total_kwh kwh_net net_kwh',
);
export const DELIVERED_NAMES = words(
  'delivered_kwh kwh_delivered energy_delivered_kwh delivered_energy_kwh supplied_kwh kwh_supplied transformer_kwh',
  'feeder_kwh energy_delivered delivered_energy',
);
/** What customers feed in, kWh per interval, by names that say so whatever stands beside them. */
export const FED_IN_NAMES = words('fed_in_kwh feed_in_kwh kwh_fed_in kwh_feed_in');
/** The same by names that say so only beside a registered energy that is called delivered, or import. */
export const RECEIVED_NAMES = words(
  'received_kwh kwh_received energy_received_kwh received_energy_kwh energy_received received_energy',
);
export const EXPORT_NAMES = words('export_kwh kwh_export exported_kwh kwh_exported energy_export_kwh');
export const VOLTAGE_NAMES = words(
  'voltage volts volt voltage_v voltage_volts v voltage_avg avg_voltage voltage_mean mean_voltage volts_avg avg_volts',
  'service_voltage line_voltage vrms v_rms voltage_rms voltage_a volts_a',
);
export const QUALITY_NAMES = words(
  'quality_flags quality_flag quality flags flag quality_code quality_codes quality_status read_quality',
  'reading_quality data_quality qc qc_flags qc_code validation_flags status_flags quality_bits quality_mask',
);
export const CREATED_NAMES = words(
  'created_at created created_on created_ts create_date created_date creation_date inserted_at insert_ts loaded_at',
  'load_ts ingested_at received_at',
);
export const UPDATED_NAMES = words(
  'updated_at updated updated_on updated_ts update_date updated_date modified_at modified modified_on modified_date',
  'last_modified last_modified_at last_updated last_updated_at last_update changed_at',
);

function words(...lines: string[]): string[] {
  return lines.flatMap((line) => line.split(' ')).map((name) => name.replaceAll('_', ''));
}
