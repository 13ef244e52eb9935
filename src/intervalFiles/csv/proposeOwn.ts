import type { Line } from '../lines.js';
import { fromCell } from './formulaCells.js';
import type { CsvMapping } from './mapping.js';
import { intervalNamed, ownLayout, WIDE_COLUMNS } from './ownColumns.js';
import type { Finding } from './proposeValues.js';
import { splitLine } from './splitLine.js';

/** A mapping and what it rests on; nothing is open. */
interface OwnProposal {
  mapping: Partial<CsvMapping>;
  restsOn: Finding[];
  open: Finding[];
}

/**
 * What an export of GridLens means, by its header alone: it may have no rows. Undefined of anybody else's file.
 *
 * @param given the column of feeders is taken over, since the file does not say what it is wanted for.
 */
export function proposeOwn(
  lines: readonly Line[],
  { feederColumn }: Pick<Partial<CsvMapping>, 'feederColumn'> = {},
): OwnProposal | undefined {
  const [head, first] = lines.filter(({ text }) => text !== '');
  const header = (head === undefined ? undefined : splitLine(head.text, ',')) ?? [];
  const layout = ownLayout(header);
  if (layout === undefined) return undefined;
  const common = {
    layout,
    delimiter: ',',
    decimalMark: '.',
    meterColumn: 'meter_id',
    ...(feederColumn === undefined ? {} : { feederColumn }),
    dateOrder: 'ymd',
    stamp: 'start',
    repeatedHour: 'inOrder',
    dialect: 'gridlens',
  } as const;
  const restsOn: Finding[] = [{ field: 'dialect', text: 'the header is that of an export of GridLens' }];
  if (layout === 'long')
    return {
      mapping: {
        ...common,
        ...{ timestampColumn: 'interval_start', zone: 'stamps', minutes: 15 },
        values: [
          { column: 'kwh', channel: 'kwh', unit: 'kWh' },
          { column: 'received_kwh', channel: 'receivedKwh', unit: 'kWh' },
        ],
      },
      restsOn,
      open: [],
    };
  const [one, two] = header.slice(WIDE_COLUMNS.length).map((name) => intervalNamed(name)?.at ?? 0);
  const row = (first === undefined ? undefined : splitLine(first.text, ',')) ?? [];
  return {
    mapping: {
      ...common,
      ...{ dateColumn: 'date', channelColumn: 'channel', unit: 'kWh' },
      channels: { kwh: 'kwh', receivedKwh: 'receivedKwh' },
      // A row whose meter's name has a line break is no row of this line.
      zone: fromCell((row.length === header.length && row[WIDE_COLUMNS.indexOf('time_zone')]) || 'UTC'),
      minutes: (two ?? 1_440) - (one ?? 0) || 60,
    },
    restsOn,
    open: [],
  };
}
