import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * Files that take longer than half a minute, the longest first (measured on two cores): begun last, one of them alone
 * would keep the run waiting. These mostly wait, for boundaries, paces and processes.
 */
const WAITING = [
  'campaign/campaign',
  'campaign/ownParts',
  'docs/runbook',
  'page/dashboard',
  'page/pilotDemo',
  'faults/automatic',
  'faults/crash',
  'automatic/autoMode',
  'queues/tickQueue',
  'pacing/lanes',
  'queues/redisRefusals',
  'topologies/connections',
  'topologies/postgresChanges',
  'topologies/pgBouncer',
  'automatic/replay',
  'queues/redisTopologies',
  'queues/redisStart',
  'topologies/standby',
  'topologies/clocks',
  'faults/backfill',
  'docs/readme',
  'local/killedRun',
  'commands/demo',
  'commands/doctor',
  'commands/help',
  'commands/backfillCommand',
  'faults/dependencies',
  'writing/amiWorker',
];
/** These keep a core busy. */
const BUSY = [
  'score/differingHomes',
  'schema/existingSchemas',
  'realism/realism',
  'schema/impossibleSchemas',
  'backfill/backfill',
  'simulation/realTenants',
  'simulation/month',
  'simulation/fairness',
  'score/score',
  'registry/registryFleet',
  'events/eventsInReads',
  'publishing/publish',
  'kpi/quickcheck',
  'commands/fleetCommand',
];

/**
 * The files of one project after the other: vitest hands a worker process with all that it has imported on to the next
 * file only where the very next one in line is of the same project. In turn by name, the two queue backends left each file
 * a process of its own, 2 s of CPU. Those with the longest files come first, those whose files take seconds last.
 */
const PROJECTS = ['models', 'extra-long', 'extra', 'extra-postgres', 'extra-redis', 'processes'];
const SHORT_PROJECTS = ['smoke', 'unit'];

/** Begins a project's long files first, one that waits and one that is busy in turn, so that the cores have work all the time. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const found = [...new Set(files.map(({ project }) => project.name))].toSorted();
    const usual = found.filter((name) => !PROJECTS.includes(name) && !SHORT_PROJECTS.includes(name));
    return [...PROJECTS, ...usual, ...SHORT_PROJECTS].flatMap((name) =>
      ofOneProject(files.filter(({ project }) => project.name === name)),
    );
  }
}

function ofOneProject(files: readonly TestSpecification[]): TestSpecification[] {
  const waiting = chosen(files, WAITING);
  const busy = chosen(files, BUSY);
  const length = Math.max(waiting.length, busy.length);
  const long = Array.from({ length }, (_, place) => [waiting[place], busy[place]])
    .flat()
    .filter((file) => file !== undefined);
  const rest = files.filter((file) => !long.includes(file));
  return [...long, ...rest.toSorted((a, b) => (a.moduleId < b.moduleId ? -1 : 1))];
}

/** Those that are named, in the order of the names. */
function chosen(files: readonly TestSpecification[], names: readonly string[]): TestSpecification[] {
  return names.flatMap((name) => files.filter(({ moduleId }) => moduleId.endsWith(`/test/${name}.test.ts`)));
}
