import type { FleetExported } from '../registry/file/exportFleet.js';
import { shown } from '../registry/file/fleetValues.js';
import type { FleetLoaded } from '../registry/file/loadFleet.js';
import type { FleetCounts } from '../registry/file/writeFleets.js';
import { shownRelation } from '../schema/identifiers.js';
import type { RegistryMapping } from '../schema/mapping.js';

/** What a load did, as text for a terminal; `title` is the beginning of its first line. */
export function fleetReport(
  title: string,
  registry: RegistryMapping,
  { meters, feeders }: FleetCounts,
  { repeated = 0, ignoredColumns = [], warnings = [], warningCount = 0 }: Partial<FleetLoaded> = {},
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
  if (ignoredColumns.length > 0)
    lines.push(`  Columns passed over: ${ignoredColumns.map(shown).join(', ')}.`);
  lines.push(unnamedReport(meters), '');
  if (warningCount > 0) {
    const more = warningCount - warnings.length;
    lines.push(
      '  Taken as they stand; look whether they are meant so:',
      ...warnings.map((warning) => `    ${warning}`),
    );
    lines.push(...(more > 0 ? [`    and ${count(more)} more.`] : []), '');
  }
  return lines.join('\n');
}

/** What has become of the meters in service that are not among those of the load. */
function unnamedReport({ unnamed, retired }: FleetCounts['meters']): string {
  if (unnamed === 0) return '  The registry has no other meter in service.';
  const [meters, are, stay, them] =
    unnamed === 1 ? ['meter', 'is', 'stays as it is', 'it'] : ['meters', 'are', 'stay as they are', 'them'];
  if (retired > 0) return `  ${count(retired)} other ${meters} ${are} out of service now; their reads stay.`;
  return `  ${count(unnamed)} other ${meters} in service ${are} not named here and ${stay} (--retire takes ${them} out of service).`;
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
      `Left out ${meters}: ${ids} cannot be loaded again (empty, only blanks, too long, with a line break or a character that does not show, or a word such as NULL).\n`,
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
