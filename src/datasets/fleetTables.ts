import { decimalColumn, instantColumn, type Table, textColumn } from '../columnFiles/columns.js';
import { selectedMeters } from '../emulator/events/eventSelection.js';
import { feederSpans, metersOfFeeder } from '../emulator/fleet/syntheticFleet.js';
import type { Scenario } from '../scenarios/scenario.js';
import { daySceneOf } from './unitTables.js';

/** The tables of a set that have no days. */
export function fleetTables(
  scenario: Scenario,
): Record<'meters' | 'feeders' | 'events' | 'event_meters', Table> {
  const { file, events } = scenario;
  const scene = daySceneOf(scenario);
  const spans = feederSpans(file);
  const metersOf = new Map(
    spans.map(({ feederId }) => [feederId, metersOfFeeder(file.tenantId, feederId, file)]),
  );
  const meters = spans.flatMap(({ feederId }) =>
    (metersOf.get(feederId) as string[]).map((meterId) => ({ meterId, feederId })),
  );
  const selected = events.map((event) =>
    selectedMeters(event, { ...scene, metersOfFeeder: (id) => metersOf.get(id) ?? [] }),
  );
  return {
    meters: table([
      textColumn(
        'meter_id',
        meters.map(({ meterId }) => meterId),
      ),
      textColumn(
        'feeder_id',
        meters.map(({ feederId }) => feederId),
      ),
    ]),
    feeders: table([
      textColumn(
        'feeder_id',
        spans.map(({ feederId }) => feederId),
      ),
      { name: 'meters', kind: 'integer', values: Int32Array.from(spans, ({ from, to }) => to - from) },
    ]),
    events: table([
      textColumn(
        'event_id',
        events.map(({ id }) => id),
      ),
      textColumn(
        'event_type',
        events.map(({ eventType }) => eventType),
      ),
      textColumn(
        'theft_form',
        events.map(({ form }) => form),
      ),
      textColumn(
        'delivery',
        events.map(({ delivery }) => delivery),
      ),
      textColumn(
        'feeder_id',
        events.map(({ feederId }) => feederId),
      ),
      decimalColumn(
        'severity',
        5,
        4,
        events.map(({ severity }) => severity),
      ),
      instantColumn(
        'start_at',
        events.map(({ startAt }) => startAt),
      ),
      instantColumn(
        'end_at',
        events.map(({ endAt }) => endAt),
      ),
      { name: 'meters', kind: 'integer', values: Int32Array.from(selected, (some) => some.length) },
    ]),
    event_meters: table([
      textColumn(
        'event_id',
        events.flatMap(({ id }, at) => (selected[at] as readonly string[]).map(() => id)),
      ),
      textColumn('meter_id', selected.flat()),
    ]),
  };
}

function table(columns: Table['columns']): Table {
  return { rows: columns[0]?.values.length ?? 0, columns };
}
