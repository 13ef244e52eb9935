import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * Files that take longer than half a minute, the longest first (measured on two cores): begun last, one of them alone
 * would keep the run waiting. What is not named comes after them.
 */
const LONGEST = [
  'docs/runbook',
  'faults/automatic',
  'faults/crash',
  'schema/existingSchemas',
  'simulation/realTenants',
  'simulation/fairness',
  'realism/realism',
  'commands/backfillCommand',
  'automatic/autoMode',
  'automatic/replay',
  'queues/tickQueue',
  'score/score',
  'faults/backfill',
  'schema/impossibleSchemas',
  'local/postgresPart',
  'simulation/month',
  'commands/fleetCommand',
  'faults/dependencies',
  'backfill/backfill',
  'pacing/lanes',
  'publishing/publish',
];

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification): number => {
      const found = LONGEST.findIndex((name) => moduleId.endsWith(`/test/${name}.test.ts`));
      return found === -1 ? LONGEST.length : found;
    };
    return files.toSorted((a, b) => place(a) - place(b) || (a.moduleId < b.moduleId ? -1 : 1));
  }
}
