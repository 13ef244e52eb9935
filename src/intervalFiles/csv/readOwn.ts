import { shifted } from '../decimal.js';
import {
  type EnergyChannel,
  emptyBatch,
  type FileBatch,
  type FileText,
  UnreadableFileError,
} from '../intervalFiles.js';
import type { QualityKind, ReadQuality } from '../quality.js';
import { parseDate } from '../time/clockTexts.js';
import { LocalZone } from '../time/localZone.js';
import { fromCell } from './formulaCells.js';
import { intervalNamed, LONG_COLUMNS, type OwnInterval, ownLayout, WIDE_COLUMNS } from './ownColumns.js';
import { RowScanner } from './rowScanner.js';

const KINDS = new Set<string>([
  'raw',
  'validated',
  'estimated',
  'edited',
  'questionable',
] satisfies QualityKind[]);
const LONG = columnIndexes(LONG_COLUMNS);
const WIDE = columnIndexes(WIDE_COLUMNS);

function columnIndexes<T extends string>(names: readonly T[]): Record<T, number> {
  return Object.fromEntries(names.map((name, index) => [name, index])) as Record<T, number>;
}

/**
 * Reads a CSV file that GridLens has written, whichever of the two layouts. It says all that it means: each row has its
 * interval's length and quality, and a name is what stands in its cell, with blanks and line breaks.
 *
 * @param feederColumn whether each row's feeder is wanted: `feeder_id`, which the long layout has.
 * @yields what each piece of the text says.
 * @throws UnreadableFileError where the header is not that of an export, or has no such column.
 */
export async function* readOwnCsv(text: FileText, feederColumn?: string): AsyncGenerator<FileBatch> {
  const reader = new OwnReader(feederColumn);
  const scanner = new RowScanner(
    ',',
    (fields, line, isUnended) => reader.take(fields, line, isUnended),
    true,
  );
  for await (const piece of text) {
    scanner.write(piece);
    yield reader.give();
  }
  scanner.end();
  reader.end();
  yield reader.give();
}

interface OwnRow {
  line: number;
  meterId: string;
  quality: ReadQuality;
  minutes: number;
  feederId?: string;
}

class OwnReader {
  #batch = emptyBatch();
  #header: readonly string[] | undefined;
  #isWide = false;
  #intervals: OwnInterval[] = [];
  readonly #zones = new Map<string, LocalZone | undefined>();

  constructor(private readonly feederColumn: string | undefined) {}

  take(fields: readonly string[] | undefined, line: number, isUnended: boolean): void {
    if (this.#header === undefined) return void this.#begin(fields ?? [], line);
    if (fields === undefined) return void this.#refuse(line, 'its quotes do not match');
    if (isUnended)
      return void this.#refuse(
        line,
        'the file ends within this row: it has been cut off, as an export ends with a line end',
      );
    if (fields.length !== this.#header.length)
      return void this.#refuse(
        line,
        `the row has ${fields.length} fields, and the header has ${this.#header.length}`,
      );
    if (this.#isWide) this.#wide(fields, line);
    else this.#long(fields, line);
  }

  end(): void {
    if (this.#header === undefined) throw new UnreadableFileError(undefined, 'it has no header');
  }

  give(): FileBatch {
    const given = this.#batch;
    this.#batch = emptyBatch();
    return given;
  }

  #begin(fields: readonly string[], line: number): void {
    const layout = ownLayout(fields);
    if (layout === undefined)
      throw new UnreadableFileError(line, 'the header is not that of an export of GridLens');
    this.#header = [...fields];
    this.#isWide = layout === 'wide';
    if (this.feederColumn !== undefined && (this.#isWide || this.feederColumn !== 'feeder_id'))
      throw new UnreadableFileError(
        line,
        `an export of this layout has no column ${this.feederColumn} of feeders`,
      );
    if (this.#isWide)
      this.#intervals = fields.slice(WIDE_COLUMNS.length).map((name) => intervalNamed(name) as OwnInterval);
  }

  #long(fields: readonly string[], line: number): void {
    const cell = (name: keyof typeof LONG): string => fields[LONG[name]] as string;
    const row = this.#rowOf(line, [
      cell('meter_id'),
      cell('interval_minutes'),
      cell('quality'),
      cell('quality_method'),
    ]);
    if (row === undefined) return;
    const feederId = this.feederColumn === undefined ? '' : fromCell(cell('feeder_id'));
    if (feederId !== '') row.feederId = feederId;
    const startMs = instantOf(cell('interval_start'));
    if (startMs === undefined)
      return void this.#refuse(
        line,
        `interval_start is ${cell('interval_start') || 'empty'}: it must be an instant such as 2026-01-31T10:15:00Z, to the millisecond at most`,
        row.meterId,
      );
    for (const [channel, name] of [
      ['kwh', 'kwh'],
      ['receivedKwh', 'received_kwh'],
    ] as const)
      this.#value(row, channel, name, cell(name), startMs);
  }

  #wide(fields: readonly string[], line: number): void {
    const cell = (name: keyof typeof WIDE): string => fields[WIDE[name]] as string;
    const row = this.#rowOf(line, [
      cell('meter_id'),
      cell('interval_minutes'),
      cell('quality'),
      cell('quality_method'),
    ]);
    if (row === undefined) return;
    const channel = cell('channel');
    const day = parseDate(cell('date'), 'ymd');
    const zone = this.#zoneOf(fromCell(cell('time_zone')));
    const wrong = [
      day === undefined && `date is ${cell('date') || 'empty'}: it must be a day as 2026-01-31`,
      zone === undefined &&
        `time_zone is ${cell('time_zone') || 'empty'}: it must be a zone such as Europe/Berlin`,
      cell('unit') !== 'kWh' && `unit is ${cell('unit') || 'empty'}: it must be kWh`,
      channel !== 'kwh' &&
        channel !== 'receivedKwh' &&
        `channel is ${channel || 'empty'}: it must be kwh or receivedKwh`,
    ].find((sentence) => sentence !== false);
    if (wrong !== undefined) return void this.#refuse(line, wrong, row.meterId);
    for (const [place, { at, isSecondPass }] of this.#intervals.entries()) {
      const index = WIDE_COLUMNS.length + place;
      const text = fields[index] as string;
      if (text === '') continue;
      const startMs = (zone as LocalZone).instantsOf((day as number) + at * 60_000)[isSecondPass ? 1 : 0];
      const name = this.#header?.[index] as string;
      if (startMs === undefined)
        this.#refuse(
          line,
          `${name} has a value, and the clocks do not show that time on ${cell('date')}`,
          row.meterId,
        );
      else this.#value(row, channel as EnergyChannel, name, text, startMs);
    }
  }

  /** @param cells meter, minutes, quality, its method. */
  #rowOf(
    line: number,
    [meter, length, kind, method]: readonly [string, string, string, string],
  ): OwnRow | undefined {
    const meterId = fromCell(meter);
    const minutes = /^\d{1,4}$/.test(length) ? Number(length) : 0;
    if (meterId === '') this.#refuse(line, 'meter_id is empty: it must name a meter');
    else if (minutes < 1 || minutes > 1_440)
      this.#refuse(
        line,
        `interval_minutes is ${length || 'empty'}: it must be whole minutes up to 1440`,
        meterId,
      );
    else if (!KINDS.has(kind))
      this.#refuse(
        line,
        `quality is ${kind || 'empty'}: it must be one of ${[...KINDS].join(', ')}`,
        meterId,
      );
    else {
      const by = fromCell(method);
      return {
        ...{ line, meterId, minutes },
        quality: { kind: kind as QualityKind, ...(by === '' ? {} : { method: by }) },
      };
    }
    return undefined;
  }

  #value(row: OwnRow, channel: EnergyChannel, name: string, text: string, startMs: number): void {
    if (text === '') return;
    const kwh = shifted(text, 0);
    if (kwh === undefined || kwh.startsWith('-'))
      return void this.#refuse(row.line, `${name} is ${text}: it must be a number from 0 up`, row.meterId);
    const { meterId, minutes, quality, line, feederId } = row;
    this.#batch.reads.push({ meterId, channel, startMs, minutes, kwh, quality, line, feederId });
  }

  #zoneOf(name: string): LocalZone | undefined {
    if (!this.#zones.has(name)) this.#zones.set(name, zoneNamed(name));
    return this.#zones.get(name);
  }

  #refuse(line: number, reason: string, meterId?: string): void {
    this.#batch.refusals.push({ line, reason, ...(meterId === undefined ? {} : { meterId }) });
  }
}

function zoneNamed(name: string): LocalZone | undefined {
  try {
    return new LocalZone(name);
  } catch {
    return undefined;
  }
}

const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{3}(?:000)?)?Z$/;

/** ms; undefined of what is no instant, or has digits within a millisecond. */
function instantOf(text: string): number | undefined {
  if (!INSTANT.test(text)) return undefined;
  const ms = Date.parse(text.length > 24 ? `${text.slice(0, 23)}Z` : text);
  return Number.isNaN(ms) || new Date(ms).toISOString().slice(0, 19) !== text.slice(0, 19) ? undefined : ms;
}
