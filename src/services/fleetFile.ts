import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { CsvError, parse } from 'csv-parse';
import { StartupError } from '../contracts/errors.js';
import type { FleetRows } from '../contracts/fleetRows.js';

/** Over a hundred times the longest line there can be; beyond it a quote was left open. */
const MAX_LINE_BYTES = 128 * 1024;

const QUOTE_PROBLEMS: Record<string, string> = {
  CSV_QUOTE_NOT_CLOSED: 'opens a quote that is never closed',
  CSV_MAX_RECORD_SIZE: `is longer than ${MAX_LINE_BYTES} bytes: is there a quote that is never closed?`,
  CSV_INVALID_CLOSING_QUOTE: 'goes on after a closing quote: a quote within a value is written twice',
  INVALID_OPENING_QUOTE:
    'has a quote within a value: put the value in quotes and write each quote in it twice',
};

/**
 * Reads a CSV file into `rows`, a chunk at a time. Comma or semicolon, LF, CRLF or CR, with or without a byte order
 * mark. Blanks around a value count only within quotes; lines without any value are passed over.
 *
 * @throws StartupError when the file cannot be read; what is wrong in it is in `rows`.
 */
export async function readFleetFile(path: string, rows: FleetRows): Promise<void> {
  let lastLine = 0;
  // From here on the columns are not known, or the quotes not where they were meant: nothing after it can be judged.
  const end = new AbortController();
  // The parser counts a CRLF within quotes as two lines.
  let overcounted = 0;
  const onRecord = (values: string[], lines: number): null => {
    const breaks = values.flatMap((value) => value.match(/\r\n|\n|\r/g) ?? []);
    overcounted += breaks.filter((text) => text === '\r\n').length;
    lastLine = lines - overcounted;
    // A value may span lines, in error: its record begins on the first of them.
    const line = lastLine - breaks.length;
    if (end.signal.aborted || values.every((value) => value === '')) return null;
    if (rows.hasHeader) rows.add(line, values);
    else {
      rows.header(line, values);
      if (!rows.hasHeader) end.abort();
    }
    return null;
  };
  try {
    const { first, source } = await opened(path);
    const parser = parse({
      bom: true,
      delimiter: delimiterOf(first),
      record_delimiter: ['\r\n', '\n', '\r'],
      trim: true,
      relax_column_count: true,
      max_record_size: MAX_LINE_BYTES,
      on_record: (values: string[], { lines }) => onRecord(values, lines),
    });
    parser.resume();
    await pipeline(source, parser, { signal: end.signal });
  } catch (error) {
    if (end.signal.aborted) return;
    if (!(error instanceof CsvError)) throw unreadable(path, error);
    rows.refuse(
      lastLine + 1,
      null,
      `${QUOTE_PROBLEMS[error.code] ?? error.message}; what follows was not read`,
    );
  }
  if (!rows.hasHeader) rows.refuse(1, null, 'is missing: the file is empty');
  else if (rows.lines === 0 && rows.problemCount === 0)
    rows.refuse(2, null, 'is missing: the file has no meters');
}

/** The file, with its first line already at hand. */
async function opened(path: string): Promise<{ first: Buffer; source: Readable }> {
  const chunks: AsyncIterator<Buffer> = createReadStream(path, { highWaterMark: 256 * 1024 })[
    Symbol.asyncIterator
  ]();
  const { value, done } = await chunks.next();
  const first = done ? Buffer.alloc(0) : value;
  return {
    first,
    source: Readable.from(
      (async function* () {
        yield first;
        yield* { [Symbol.asyncIterator]: () => chunks };
      })(),
      { objectMode: false },
    ),
  };
}

/** What Excel writes depends on the country: where the comma is in numbers, a semicolon parts the values. */
function delimiterOf(first: Buffer): ',' | ';' {
  const header = /^[^\r\n]*/.exec(first.toString('latin1'))?.[0] ?? '';
  const count = (character: string): number => header.split(character).length;
  return count(';') > count(',') ? ';' : ',';
}

function unreadable(path: string, error: unknown): unknown {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === undefined) return error;
  const reason = code === 'ENOENT' ? 'there is no such file' : message;
  return new StartupError(`${path} cannot be read: ${reason}.`, { cause: error });
}
