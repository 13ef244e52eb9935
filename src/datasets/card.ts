import { shownDecimal } from '../columnFiles/decimals.js';
import type { Scenario } from '../scenarios/scenario.js';
import type { DatasetFormat } from './unitFiles.js';
import type { UnitSums } from './unitTables.js';

/** The README of a data set: what it is, how it was made, and what was measured on it. It says nothing of when or where. */
export function dataCard(scenario: Scenario, format: DatasetFormat, sums: UnitSums, days: number): string {
  const { file, from, to, events } = scenario;
  const count = (value: number): string => value.toLocaleString('en-US');
  const kwh = (value: number): string => `${count(Math.round(value / 10_000))} kWh`;
  const share = (part: number, whole: number): string =>
    whole === 0 ? '–' : `${((100 * part) / whole).toFixed(2)} %`;
  const volts = (value: number): string => `${shownDecimal(value, 1)} V`;
  const hours = sums.kwhByHour.map((value, hour) => ({ hour, value }));
  const peak = hours.reduce((most, one) => (one.value > most.value ? one : most));
  const valley = hours.reduce((least, one) => (one.value < least.value ? one : least));
  const files =
    format === 'parquet'
      ? `read_parquet('reads/**/*.parquet', hive_partitioning = true)`
      : `read_csv('reads/**/*.csv')`;
  return `# ${file.scenario}

${file.description?.trim() ?? 'No description was given.'}

Emulated interval data of smart meters with the truth about what was done to them. Made by GridLens from a scenario and a seed; the
same scenario gives the same bytes. No person, meter or place in it is real.

| | |
|---|---|
| tenant, seed | ${file.tenantId}, ${daySeed(scenario)} |
| meters, feeders | ${count(file.meterCount)}, ${file.feederCount} |
| span | ${from.toISOString()} to ${to.toISOString()}, intervals of ${file.intervalMinutes} minutes |
| customers live by | ${file.timeZone}, ${customersOf(scenario)} |
| reads, labels, events | ${count(sums.reads)}, ${count(sums.labels)}, ${count(events.length)} |

## Files

| | |
|---|---|
| \`reads/\` | a read a row, a folder for each UTC day, by feeder, meter and time |
| \`labels/\` | what an event, a meter or the network did to a read; one row for each read concerned, and for each that is missing |
| \`events\`, \`event_meters\` | the events, and the meters that each concerns |
| \`meters\`, \`feeders\` | the fleet |
| \`manifest.json\` | the scenario, counts, sums and the SHA-256 of every file |

\`\`\`sql
SELECT reads.*, labels.event_types, labels.true_kwh
FROM ${files} reads
LEFT JOIN ${files.replaceAll('reads/', 'labels/')} labels USING (meter_id, interval_start);
\`\`\`

## Columns

| column | unit | meaning |
|---|---|---|
| \`interval_start\` | UTC | start of the interval, inclusive |
| \`kwh\` | kWh | energy that the meter registered in the interval |
| \`delivered_kwh\` | kWh | energy that the utility's side measured as delivered, losses included |
| \`received_kwh\` | kWh | energy that the meter registered as fed into the grid; null of a meter without that channel |
| \`voltage\` | V | service voltage on a 120 V base |
| \`flags\` | | \`LOW_VOLTAGE\` below 114 V, \`HIGH_VOLTAGE\` above 126 V |
| \`event_ids\`, \`event_types\`, \`theft_forms\` | | of a label: all events that concern the read, with a space between |
| \`oddities\` | | of a label: what its meter or its network did to the read, with a space between; \`network-gap\` lost it |
| \`severity\` | | of a label: the highest of its events, 0 without any |
| \`is_missing\` | | of a label: an outage or the network took the read, which is not in \`reads/\` |
| \`came_late\` | | of a label: an outage held the read back; it is in \`reads/\` |
| \`true_kwh\`, \`registered_kwh\` | kWh | of a label: what the meter would have registered, and what it did |
| \`true_voltage\` | V | of a label: the voltage without a sag |

## Measured on this set

| | |
|---|---|
| energy registered, delivered | ${kwh(sums.kwh)}, ${kwh(sums.deliveredKwh)} |
| not registered of what was delivered | ${share(sums.deliveredKwh - sums.kwh, sums.deliveredKwh)} |
| stolen, of reads that are there and show no oddity | ${kwh(sums.stolenKwh)} |
| a meter's mean day | ${sums.reads === 0 ? '–' : (sums.kwh / 10_000 / file.meterCount / days).toFixed(2)} kWh |
| hour of most and of least energy, local | ${peak.hour}:00 with ${share(peak.value, sums.kwh)}, ${valley.hour}:00 with ${share(valley.value, sums.kwh)} |
| reads that are missing, that came late | ${count(sums.missing)} (${share(sums.missing, sums.missing + sums.reads)}), ${count(sums.late)} |
| reads that a meter or the network has changed or lost | ${count(sums.odd)} |
| reads of nothing | ${share(sums.zeros, sums.reads)} |
| voltage: mean, least, most | ${sums.reads === 0 ? '–' : `${volts(Math.round(sums.voltage / sums.reads))}, ${volts(sums.minVoltage)}, ${volts(sums.maxVoltage)}`} |
| reads below 114 V | ${share(sums.lowVoltage, sums.reads)} |

## What it must not be used for

- To say how common theft, outages or sags are anywhere: the scenario says how many there are.
- To set a threshold that is used on real customers without real data beside it.
- As the consumption of any person, town or utility: classes and seasons follow published profiles, the rest is drawn.
- To claim a detector's quality in general: a detector can learn how these thefts are made.
`;
}

function daySeed({ file }: Scenario): string {
  return file.seed ?? `the tenant's own`;
}

/** Which customers, and what stands behind their meters. */
function customersOf({ file, emulation: { model, place, customers, der, network } }: Scenario): string {
  const shares = Object.entries(der).map(([kind, share]) => `${kind} at ${share * 100} % of the homes`);
  const trade = Object.entries(customers).map(([kind, share]) => `${share * 100} % ${kind} customers`);
  const over = network.quality ? [`a ${network.quality} network`] : [];
  const odd = network.oddities ? [`oddities ${network.oddities.join(', ')}`] : [];
  const late = network.lateness ? ['a network that brings some reads late or twice'] : [];
  return [
    `model ${model}`,
    place ?? `climate ${file.climate}`,
    ...trade,
    ...shares,
    ...over,
    ...odd,
    ...late,
  ].join(', ');
}
