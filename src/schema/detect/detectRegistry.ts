import { quoted, quotedRelation, shownRelation } from '../identifiers.js';
import type { MappedColumn, ReadsMapping, RegistryMapping } from '../mapping.js';
import { type CatalogRelation, normalised } from './catalog.js';
import { columnByForeignKey, columnByName, mapped } from './columns.js';
import { ID_KINDS } from './detectReads.js';
import {
  ACTIVE_NAMES,
  FEEDER_NAMES,
  FEEDER_OWN_NAMES,
  METER_NAMES,
  METER_OWN_NAMES,
  TENANT_NAMES,
} from './knownNames.js';
import { ownMapping } from './ownMapping.js';
import type { Repair } from './repairs.js';

export interface DetectedRegistry {
  mapping: RegistryMapping | undefined;
  repairs: Repair[];
  problems: string[];
}

export interface DetectRegistryOptions {
  ownSchema: string;
  /** The customer's; undefined where there is none, or GridLens made it. */
  meters: CatalogRelation | undefined;
  feeders: CatalogRelation | undefined;
  /** The reads' table, where it is the customer's: its foreign keys say what its ids are. */
  readsTable: CatalogRelation | undefined;
  reads: ReadsMapping['columns'];
  added: ReadonlySet<string>;
}

/**
 * Finds out which columns make the registry fleet; pure. What reads carry decides which of several ids of a meter or
 * feeder is the canonical one: the column that the reads refer to, else one of the same kind, and for texts the
 * business identifier rather than the surrogate key.
 */
export function detectRegistry(options: DetectRegistryOptions): DetectedRegistry {
  const { meters, feeders, ownSchema } = options;
  const ours = ownMapping(ownSchema).registry;
  if (!meters) {
    const theirs = feeders && feedersOf(feeders, options, undefined);
    if (theirs?.problem !== undefined) return { mapping: undefined, repairs: [], problems: [theirs.problem] };
    return {
      // Our own meters name a feeder as the reads do.
      mapping: {
        meters: ours.meters,
        feeders: theirs?.mapping ? { ...theirs.mapping, key: theirs.mapping.feederId } : ours.feeders,
      },
      repairs: [],
      problems: [],
    };
  }
  const repairs: Repair[] = [];
  const meterId = meterIdOf(meters, options);
  if (!meterId)
    return {
      mapping: undefined,
      repairs,
      problems: [
        `${shownRelation(meters)} has no column that identifies a meter as ${kindInWords(options.reads.meterId)}: name it so, for example ALTER TABLE ${quotedRelation(meters)} RENAME COLUMN … TO meter_id;`,
      ],
    };
  const byKey = columnByForeignKey(meters, feeders, FEEDER_NAMES, TENANT_NAMES);
  const feeder =
    byKey?.column ??
    columnByName(meters, { names: FEEDER_NAMES, kinds: ID_KINDS, taken: new Set([meterId.name]) }) ??
    addedFeeder(meters, repairs);
  const found = feeders && feedersOf(feeders, options, { feeder, key: byKey?.targetColumn });
  if (found?.problem !== undefined) return { mapping: undefined, repairs, problems: [found.problem] };
  return {
    mapping: {
      meters: {
        table: { schema: meters.schema, name: meters.name },
        own: false,
        tenantId: columnByName(meters, { names: TENANT_NAMES, kinds: ID_KINDS }) ?? null,
        meterId,
        feeder: options.added.has(feeder.name) ? { ...feeder, source: 'added' } : feeder,
        isActive: columnByName(meters, { names: ACTIVE_NAMES, kinds: ['boolean'] }) ?? null,
      },
      feeders: found?.mapping ?? null,
    },
    repairs,
    problems: [],
  };
}

function meterIdOf(
  meters: CatalogRelation,
  { readsTable, reads }: DetectRegistryOptions,
): MappedColumn | undefined {
  const referred = readsTable && columnByForeignKey(readsTable, meters, METER_NAMES, TENANT_NAMES);
  if (referred) return referred.targetColumn;
  const names = [normalised(reads.meterId.name), ...METER_NAMES, ...METER_OWN_NAMES];
  if (reads.meterId.kind !== 'text') return columnByName(meters, { names, kinds: [reads.meterId.kind] });
  return (
    columnByName(meters, { names: names.slice(0, 1), kinds: ID_KINDS }) ??
    columnByName(meters, { names, kinds: ['text'] }) ??
    columnByName(meters, { names, kinds: ID_KINDS })
  );
}

function feedersOf(
  feeders: CatalogRelation,
  { readsTable, reads }: DetectRegistryOptions,
  meters: { feeder: MappedColumn; key: MappedColumn | undefined } | undefined,
): { mapping?: NonNullable<RegistryMapping['feeders']>; problem?: string } {
  const referred = readsTable && columnByForeignKey(readsTable, feeders, FEEDER_NAMES, TENANT_NAMES);
  const key = meters && (meters.key ?? keyFor(feeders, meters.feeder));
  const feederId =
    referred?.targetColumn ??
    (key && key.kind === reads.feederId.kind && key.kind !== 'text' ? key : undefined) ??
    businessFeederId(feeders, reads.feederId) ??
    (reads.feederId.kind === 'text' ? key : undefined);
  if (!feederId || (meters && !key)) {
    const as = kindInWords(feederId && meters ? meters.feeder : reads.feederId);
    return {
      problem: `${shownRelation(feeders)} has no column that identifies a feeder as ${as}: name it so, for example ALTER TABLE ${quotedRelation(feeders)} RENAME COLUMN … TO feeder_id;`,
    };
  }
  const aliases = feeders.columns.filter(
    ({ name, kind }) =>
      FEEDER_OWN_NAMES.includes(normalised(name)) && ID_KINDS.includes(kind) && name !== feederId.name,
  );
  return {
    mapping: {
      table: { schema: feeders.schema, name: feeders.name },
      own: false,
      tenantId: columnByName(feeders, { names: TENANT_NAMES, kinds: ID_KINDS }) ?? null,
      key: key ?? feederId,
      feederId,
      aliases: aliases.map((column) => mapped(column, 'known name')),
    },
  };
}

/** Of the kind the reads carry; texts carry any kind, a business identifier rather than a surrogate key. */
function businessFeederId(feeders: CatalogRelation, ofReads: MappedColumn): MappedColumn | undefined {
  const names = [...namesLike(ofReads.name), ...FEEDER_OWN_NAMES];
  if (ofReads.kind !== 'text') return columnByName(feeders, { names, kinds: [ofReads.kind] });
  return (
    columnByName(feeders, { names: [normalised(ofReads.name)], kinds: ID_KINDS }) ??
    columnByName(feeders, { names, kinds: ['text'] }) ??
    columnByName(feeders, { names: FEEDER_OWN_NAMES, kinds: ID_KINDS })
  );
}

/** Without a foreign key: the column of the same name as the meters', else the first of its kind. */
function keyFor(feeders: CatalogRelation, feeder: MappedColumn): MappedColumn | undefined {
  return columnByName(feeders, {
    names: [...namesLike(feeder.name), ...FEEDER_OWN_NAMES],
    kinds: [feeder.kind],
  });
}

/** What a column that refers to a feeder under this name calls it: `feeder_code` → feeder_code, code. */
function namesLike(name: string): string[] {
  const plain = normalised(name);
  const ending = /(code|name|number|no|key|uuid|guid)$/.exec(plain)?.[1];
  return ending === undefined ? [plain, 'id'] : [plain, `feeder${ending}`, ending];
}

function addedFeeder(meters: CatalogRelation, repairs: Repair[]): MappedColumn {
  repairs.push({
    kind: 'add column',
    table: { schema: meters.schema, name: meters.name },
    column: 'feeder_id',
    type: 'text',
    reason: 'no column says which feeder a meter is on',
  });
  return {
    name: 'feeder_id',
    type: 'text',
    baseType: 'text',
    kind: 'text',
    notNull: false,
    collation: 'pg_catalog."default"',
    source: 'added',
  };
}

function kindInWords({ name, kind }: MappedColumn): string {
  return `${quoted(name)} of the reads does (${kind})`;
}
