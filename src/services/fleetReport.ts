import type { RegistryMapping } from '../schema/mapping.js';
import { shownRelation } from '../schema/repairs.js';
import type { FleetCounts } from './fleetWrite.js';

/** What a load did, as text for a terminal; `title` is the beginning of its first line. */
export function fleetReport(
  title: string,
  registry: RegistryMapping,
  { meters, feeders }: FleetCounts,
  repeated = 0,
): string {
  const count = (value: number): string => value.toLocaleString('en-US');
  const metersTable = shownRelation(registry.meters.table);
  const tables =
    registry.feeders === null ? metersTable : `${metersTable} and ${shownRelation(registry.feeders.table)}`;
  const lines = [
    `${title} ${tables}:`,
    '',
    `  meters   ${count(meters.added)} added, ${count(meters.updated)} updated, ${count(meters.unchanged)} unchanged`,
  ];
  if (registry.feeders !== null) {
    lines.push(`  feeders  ${count(feeders.added)} added, ${count(feeders.updated)} updated`);
  }
  lines.push('');
  if (repeated > 0) {
    const repeat = repeated === 1 ? 'line repeats' : 'lines repeat';
    lines.push(`  ${count(repeated)} ${repeat} an earlier one, and counted once.`);
  }
  if (meters.withoutFeeder > 0) {
    const [are, them] = meters.withoutFeeder === 1 ? ['is', 'it'] : ['are', 'them'];
    lines.push(
      `  ${count(meters.withoutFeeder)} of these meters ${are} on no feeder: a publish leaves ${them} out.`,
    );
  }
  lines.push('  Meters that are not named here stay as they are.', '');
  return lines.join('\n');
}
