import { UnreadableFileError } from '../intervalFiles.js';
import type { Line } from '../lines.js';
import { intervalColumns } from './columns.js';
import { METER_NAMES, plainName } from './knownColumns.js';
import type { CsvMapping } from './mapping.js';
import { proposeOwn } from './proposeOwn.js';
import { proposedTimes } from './proposeTimes.js';
import {
  type Finding,
  type Proposing,
  proposedDecimalMark,
  proposedEstimated,
  proposedValues,
} from './proposeValues.js';
import { splitLine } from './splitLine.js';

/** A mapping as far as the file says it. */
export interface ProposedMapping {
  mapping: Partial<CsvMapping>;
  /** What each field that was found rests on. */
  restsOn: Finding[];
  /** What the file does not say, each as a question with its answers: nobody guesses it. */
  open: Finding[];
}

const DELIMITERS = [',', ';', '\t', '|'] as const;
const MOST_LINES_BEFORE_HEADER = 50;

/**
 * Proposes what a CSV file means, from its first lines.
 *
 * @param given what is known already: it is taken as it is, and no question is asked about it.
 * @throws UnreadableFileError where it has no header with the names of its columns.
 */
export function proposeMapping(lines: readonly Line[], given: Partial<CsvMapping> = {}): ProposedMapping {
  const own = proposeOwn(lines, given);
  if (own !== undefined) return own;
  const { delimiter, header, rows } = tableOf(lines, given.delimiter);
  const proposing: Proposing = {
    ...{ header, rows, given },
    mapping: { delimiter, ...given },
    restsOn: given.delimiter
      ? []
      : [{ field: 'delimiter', text: `it divides the header into ${header.length} columns` }],
    open: [],
  };
  proposedMeter(proposing);
  proposedLayout(proposing);
  proposedDecimalMark(proposing);
  proposedTimes(proposing);
  proposedValues(proposing);
  proposedEstimated(proposing);
  const { mapping, restsOn, open } = proposing;
  return { mapping: { ...mapping, ...given }, restsOn, open: open.filter(({ field }) => !(field in given)) };
}

interface Table {
  delimiter: CsvMapping['delimiter'];
  header: string[];
  rows: string[][];
}

/** The header is the first line of those that are divided into the most fields. */
function tableOf(lines: readonly Line[], given: CsvMapping['delimiter'] | undefined): Table {
  const filled = lines.filter(({ text, isUnended }) => text.trim() !== '' && !isUnended);
  const tables = (given === undefined ? DELIMITERS : [given]).map((delimiter) => {
    const split = filled.map(({ text }) => splitLine(text, delimiter) ?? []);
    const widths = split.map(({ length }) => length);
    // Lines of a portal before the table have fewer fields than it.
    const width = Math.max(0, ...widths.filter((one, index) => widths[index + 1] === one));
    const at = width > 1 ? widths.indexOf(width) : -1;
    const header = (split[at] ?? []).map((name) => name.trim());
    return {
      delimiter,
      at,
      header,
      rows: split.slice(at + 1).filter(({ length }) => length === header.length),
    };
  });
  const best = tables.toSorted((a, b) => b.header.length - a.header.length)[0] as Table & { at: number };
  const isNamed = best.header.some((name) => /\p{L}/u.test(name));
  if (best.at < 0 || best.at > MOST_LINES_BEFORE_HEADER || !isNamed || best.rows.length === 0)
    throw new UnreadableFileError(
      filled[0]?.number,
      'it has no header with the names of its columns and rows below it, divided by a comma, a semicolon, a tab or |',
    );
  return best;
}

function proposedMeter({ header, mapping, restsOn, open }: Proposing): void {
  if (mapping.meterColumn !== undefined) return;
  const byName = METER_NAMES.map((known) => header.find((name) => plainName(name) === known)).find(Boolean);
  if (byName === undefined)
    return void open.push({
      field: 'meterColumn',
      text: `which column names the meter? The header has ${header.slice(0, 12).join(', ')}`,
    });
  mapping.meterColumn = byName;
  restsOn.push({ field: 'meterColumn', text: `the column is called ${byName}` });
}

function proposedLayout({ header, mapping, restsOn, open }: Proposing): void {
  const intervals = intervalColumns(header);
  if (mapping.layout === undefined) {
    mapping.layout = intervals === undefined ? 'long' : 'wide';
    const count = intervals?.columns.length;
    restsOn.push({
      field: 'layout',
      text: count ? `${count} columns are called as intervals are` : 'no columns are called as intervals are',
    });
  }
  if (intervals?.isNumbered && mapping.layout === 'wide')
    open.push({
      field: 'numbered',
      text: 'is column n the n-th interval by the clock (clock) or by the time since midnight (elapsed)? They differ on days on which the clocks change',
    });
}
