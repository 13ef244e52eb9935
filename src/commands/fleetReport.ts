import type { FleetExported } from '../registry/file/exportFleet.js';
import type { FleetCounts } from '../registry/file/writeFleets.js';
import { shownRelation } from '../schema/identifiers.js';
import type { RegistryMapping } from '../schema/mapping.js';

/** What a load did, as text for a terminal; `title` is the beginning of its first line. */
export function fleetReport(
  title: string,
  registry: RegistryMapping,
  { meters, feeders }: FleetCounts,
  repeated = 0,
): string {
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

/** What an export could not put into its file; empty when nothing. */
export function leftOutReport({ leftOut, unnamed }: Pick<FleetExported, 'leftOut' | 'unnamed'>): string {
  const lines: string[] = [];
  if (leftOut > 0) {
    const [meters, ids] =
      leftOut === 1
        ? ['one meter', 'its id or its feeder’s id']
        : [`${count(leftOut)} meters`, 'their ids or their feeders’ ids'];
    lines.push(
      `Left out ${meters}: ${ids} cannot be loaded again (empty, only blanks, too long, or with a line break or another control character).\n`,
    );
  }
  if (unnamed > 0) {
    const feeders = unnamed === 1 ? 'the name of one feeder' : `the names of ${count(unnamed)} feeders`;
    lines.push(`Left out ${feeders}, which cannot be loaded again for the like reasons.\n`);
  }
  return lines.join('');
}

function count(value: number): string {
  return value.toLocaleString('en-US');
}
