import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { CsvError, parse } from 'csv-parse';
import { StartupError } from '../../contracts/errors.js';
import type { FleetRows } from './fleetRows.js';

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
 * Reads a CSV file into `rows`, a chunk at a time. Comma, semicolon or tab, LF, CRLF or CR, UTF-8 with or without a
 * byte order mark, or UTF-16 with one. A first line `sep=;`, which Excel knows, names another separator. Blanks around
 * a value count only within quotes. Lines without any value are passed over.
 *
 * @throws StartupError when the file cannot be read; what is wrong in it is in `rows`.
 */
export async function readFleetFile(path: string, rows: FleetRows): Promise<void> {
  let lastLine = 0;
  // Aborted where the columns are not known or a quote is out of place: nothing after that can be judged.
  const end = new AbortController();
  // The parser counts a CRLF within quotes as two lines.
  let overcounted = 0;
  let saysDelimiter = false;
  const onRecord = (values: string[], lines: number): null => {
    const breaks = values.flatMap((value) => value.match(/\r\n|\n|\r/g) ?? []);
    overcounted += breaks.filter((text) => text === '\r\n').length;
    lastLine = lines - overcounted;
    // A value may span lines by mistake: its record begins on the first of them.
    const line = lastLine - breaks.length;
    if (end.signal.aborted || values.every((value) => value === '')) return null;
    if (line === 1 && saysDelimiter) return null;
    if (rows.hasHeader) rows.add(line, values);
    else {
      rows.header(line, values);
      if (!rows.hasHeader) end.abort();
    }
    return null;
  };
  try {
    const { firstLine, source } = await opened(path);
    const said = SAYS_DELIMITER.exec(firstLine)?.[1];
    saysDelimiter = said !== undefined;
    const parser = parse({
      bom: true,
      delimiter: said ?? delimiterOf(firstLine),
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

/** The file as UTF-8, with its first line already at hand. */
async function opened(path: string): Promise<{ firstLine: string; source: Readable }> {
  const chunks = decoded(createReadStream(path, { highWaterMark: 256 * 1024 }));
  let first = Buffer.alloc(0);
  // A pipe may deliver less than a line at a time.
  while (first.length < MAX_LINE_BYTES && !/[\r\n]/.test(first.toString('latin1'))) {
    const { value, done } = await chunks.next();
    if (done) break;
    first = Buffer.concat([first, value]);
  }
  const firstLine = /^[^\r\n]*/.exec(first.toString('utf8').replace(/^\uFEFF/, ''))?.[0] ?? '';
  const all = async function* (): AsyncGenerator<Buffer> {
    yield first;
    yield* chunks;
  };
  return { firstLine, source: Readable.from(all(), { objectMode: false }) };
}

/** Turns UTF-16, known by its byte order mark, into UTF-8; anything else stays as it is. */
async function* decoded(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let decoder: InstanceType<typeof TextDecoder> | null | undefined;
  // The two bytes of the mark may come one by one.
  let waiting: Buffer = Buffer.alloc(0);
  for await (const next of chunks) {
    const chunk: Buffer = waiting.length > 0 ? Buffer.concat([waiting, next]) : next;
    if (decoder === undefined && chunk.length < 2) {
      waiting = chunk;
      continue;
    }
    waiting = Buffer.alloc(0);
    if (decoder === undefined) {
      const encoding = UTF_16[chunk.toString('latin1', 0, 2)];
      decoder = encoding === undefined ? null : new TextDecoder(encoding);
    }
    yield decoder === null ? chunk : Buffer.from(decoder.decode(chunk, { stream: true }));
  }
  // Half a character at the end becomes U+FFFD, which the rows refuse.
  yield decoder ? Buffer.from(decoder.decode()) : waiting;
}

/** By the byte order mark. */
const UTF_16: Record<string, string> = { '\xFF\xFE': 'utf-16le', '\xFE\xFF': 'utf-16be' };

/** A line that names the separator for Excel, which does not take it for a row either. */
const SAYS_DELIMITER = /^"?sep=([,;|\t])"?$/i;

/**
 * Excel's separator depends on the country: where numbers have a decimal comma it writes semicolons. Its "Unicode
 * Text", and text copied from it, has tabs.
 */
function delimiterOf(header: string): string {
  const count = (character: string): number => header.split(character).length;
  return [',', ';', '\t'].reduce((best, next) => (count(next) > count(best) ? next : best));
}

function unreadable(path: string, error: unknown): unknown {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === undefined) return error;
  const reason = code === 'ENOENT' ? 'there is no such file' : message;
  return new StartupError(`${path} cannot be read: ${reason}.`, { cause: error });
}
