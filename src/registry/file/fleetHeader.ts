import { ACTIVE_NAMES, FEEDER_NAMES, METER_NAMES, TENANT_NAMES } from '../../schema/detect/knownNames.js';
import {
  FLEET_COLUMNS,
  type FleetColumn,
  type FleetRules,
  fleetColumn,
  plainName,
  shown,
} from './fleetValues.js';

/** What the command says of a file's own columns. Names are compared without case, blanks and underscores. */
export interface NamedColumns {
  /** Which column of the file is which of ours. */
  map: ReadonlyMap<FleetColumn, string>;
  /** Columns that are passed over. */
  ignore: readonly string[];
  /** Whether all columns that are not ours are passed over. */
  ignoreOthers: boolean;
}

export const OWN_NAMES_ALONE: NamedColumns = { map: new Map(), ignore: [], ignoreOthers: false };

/** A problem of the header, as the end of a sentence that begins with the line, and the column where it is of one. */
export type HeaderProblem = [column: string | null, message: string];

export interface FleetHeader {
  /** What each column of the file is; null: passed over. */
  columns: (FleetColumn | null)[];
  /** As the file names them. */
  ignored: string[];
  problems: HeaderProblem[];
}

/** A value that a utility's list calls so is probably ours; names of databases are looked for first. */
const PROPOSED: [FleetColumn, readonly string[]][] = [
  ['meter_id', [...METER_NAMES, 'mtr', 'mtrno', 'esiid', 'nmi', 'mpan', 'zahlernummer', 'zahler']],
  ['feeder_id', [...FEEDER_NAMES, 'feederline', 'fdr', 'fdrid', 'line', 'lineid', 'abgang']],
  ['is_active', [...ACTIVE_NAMES, 'status', 'meterstatus', 'servicestatus', 'state']],
  ['tenant_id', [...TENANT_NAMES, 'utility']],
];

/** Reads the names of a file's columns by what the command says of them. */
export function readHeader(
  names: readonly string[],
  rules: FleetRules,
  needsTenant: boolean,
  { map, ignore, ignoreOthers }: NamedColumns,
): FleetHeader {
  const problems: HeaderProblem[] = [];
  const mapped = new Map([...map].map(([column, name]) => [plainName(name), column]));
  const passedOver = new Set(ignore.map(plainName));
  const present = new Set(names.map(plainName));
  for (const [column, name] of map) {
    if (!present.has(plainName(name)))
      problems.push([column, `is mapped to ${shown(name)}, which the file does not have`]);
  }
  for (const name of ignore) {
    if (!present.has(plainName(name)))
      problems.push([null, `has no column ${shown(name)}, which --ignore names`]);
  }
  const columns: (FleetColumn | null | undefined)[] = names.map((name) => {
    const plain = plainName(name);
    const said = mapped.get(plain);
    if (said !== undefined) return said;
    if (passedOver.has(plain)) return null;
    // A column that --map gives another place is not also what its own name says.
    const own = fleetColumn(name);
    if (own !== undefined && !map.has(own)) return own;
    return ignoreOthers ? null : undefined;
  });
  const unknown = names.filter((_, index) => columns[index] === undefined);
  for (const [index, column] of columns.entries()) {
    if (column === null || column === undefined) continue;
    if (columns.indexOf(column) < index) problems.push([column, 'is there twice']);
    else if (rules.withoutPlace.includes(column))
      problems.push([column, 'has no place in this registry: leave the column out']);
  }
  const needed: FleetColumn[] = ['meter_id', 'feeder_id', ...(needsTenant ? (['tenant_id'] as const) : [])];
  const missing = needed.filter((column) => !columns.includes(column));
  const proposals = proposalsFor(unknown, columns);
  for (const column of missing) {
    const instead = column === 'tenant_id' ? ', unless --tenant names the tenant' : '';
    const proposed = proposals.get(column);
    const advice =
      proposed === undefined ? '' : `; if ${shown(proposed)} is it, say ${mapOption(column, proposed)}`;
    problems.push([column, `is missing: the first line must name it${instead}${advice}`]);
  }
  for (const [column, name] of proposals) {
    if (missing.includes(column)) continue;
    problems.push([
      null,
      `has the column ${shown(name)}: if it is ${column}, say ${mapOption(column, name)}`,
    ]);
  }
  const others = unknown.filter((name) => ![...proposals.values()].includes(name));
  if (others.length > 0) problems.push([null, unknownColumns(others)]);
  return {
    columns: columns.map((column) => column ?? null),
    ignored: names.filter((_, index) => columns[index] === null),
    problems,
  };
}

function unknownColumns(names: readonly string[]): string {
  const columns = names.length === 1 ? 'the column' : 'the columns';
  const listed = names.slice(0, 5).map(shown).join(', ');
  const more = names.length > 5 ? ` and ${names.length - 5} more` : '';
  const options =
    names.length === 1
      ? `--ignore ${word(names[0] ?? '')} passes it over`
      : '--ignore NAME passes one over, --ignore-others all of them';
  return `has ${columns} ${listed}${more}, but the columns are ${FLEET_COLUMNS.join(', ')}; ${options}`;
}

/** Which of the columns that are not known may be one of ours that is not there yet. */
function proposalsFor(
  unknown: readonly string[],
  columns: readonly (FleetColumn | null | undefined)[],
): Map<FleetColumn, string> {
  const proposals = new Map<FleetColumn, string>();
  for (const [column, known] of PROPOSED) {
    if (columns.includes(column)) continue;
    const best = known.flatMap((candidate) => unknown.filter((name) => plainName(name) === candidate))[0];
    if (best !== undefined) proposals.set(column, best);
  }
  return proposals;
}

const mapOption = (column: FleetColumn, name: string): string => `--map ${word(`${column}=${name}`)}`;

/** As a shell takes it for one word. */
function word(text: string): string {
  return /^[\w=.,:/-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
