import type { ExistingCase } from './existingCase.js';

/** The objects that `npm run migrate -- --plan` lists as new, by the names that the catalog's snapshot has for them. */
export function plannedObjects(stdout: string): string[] {
  return stdout
    .split('\n')
    .flatMap((line) => /^ {2}\+ (.*)/.exec(line)?.[1] ?? [])
    .sort();
}

/**
 * Objects as a plan lists them: a relation with all that belongs to it is one line, and so is the queue, whose schema
 * is its library's.
 */
export function asPlanned(objects: readonly string[]): string[] {
  const relations = new Set(
    objects.flatMap((object) => /^(?:table|view|materialized view|type) (.*)/.exec(object)?.[1] ?? []),
  );
  const listed = objects
    .filter((object) => !relations.has(partOf(object)?.table ?? ''))
    .map((object) => {
      const queue = queueSchemaOf(object);
      return queue === undefined ? object : `schema ${queue}, with the tables of the queue`;
    });
  return [...new Set(listed)].sort();
}

/** Of a part of a table its table and its own name. */
function partOf(object: string): { table: string; name: string } | undefined {
  const [, table, name] = /^\w+ of (.*): (.*)$/.exec(object) ?? [];
  return table === undefined || name === undefined ? undefined : { table, name };
}

/** The queue's schema where the object is that schema, or in it; it has a name of the deployment's own. */
function queueSchemaOf(object: string): string | undefined {
  return /^(?:schema |[\w ]+ (?:of )?(?=bullmq\w*\.))(bullmq\w*)(?:$|\.)/.exec(object)?.[1];
}

const VIEWS = [
  'v_kpi_electric_overview_daily',
  'v_kpi_electric_feeder_loss_daily',
  'v_kpi_suspicious_meters_daily',
  'v_kpi_fieldops_daily',
];

/**
 * Whether a new object is GridLens's own rather than an addition to the utility's: it, or what it belongs to, is
 * called `ami_…`, or is the queue's, or is a table or view that the utility had none of.
 */
export function isOurs(object: string, one: ExistingCase): boolean {
  if (one.repairs.includes(object)) return false;
  if (queueSchemaOf(object) !== undefined) return true;
  const made = [
    ...(one.meters === 'own' ? ['meters'] : []),
    ...(one.feeders === 'own' ? ['feeders'] : []),
    ...VIEWS.filter((view) => !one.ownViews?.includes(view)),
  ];
  const part = partOf(object);
  const relation =
    (part?.table ?? object.replace(/^[a-z ]+ /, '').replace(/\(.*/, '')).split('.').at(-1) ?? '';
  return relation.startsWith('ami_') || made.includes(relation) || (part?.name.startsWith('ami_') ?? false);
}
