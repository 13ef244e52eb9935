import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import yauzl from 'yauzl';
import { type FileBatch, type FileText, UnreadableFileError } from '../intervalFiles/intervalFiles.js';
import { readParquetApart } from './parquetApart.js';
import { limited, UNPACK_LIMITS, type UnpackLimits } from './unpackLimits.js';

/** One file of interval data, which may have come packed. */
export interface InnerFile {
  /** Of an archive's entry with the archive's before it; for reports alone. */
  name: string;
  /** The text from its beginning, as often as it is asked for. */
  open: () => FileText;
  /** Of Parquet, which is no text. */
  parquet?: ParquetFile;
}

/** A Parquet file on the disk. */
export interface ParquetFile {
  /** Its bytes from the beginning, for a hash. */
  bytes: () => AsyncIterable<Uint8Array>;
  /** @param feederColumn whether each row's feeder is wanted: `feeder_id`. */
  read: (feederColumn?: string) => AsyncIterable<FileBatch>;
}

type Packing = 'gzip' | 'zip' | 'parquet' | 'none';

/**
 * The files of interval data in a file: itself, what its gzip holds, or the entries of its zip. It is told by content.
 *
 * @throws UnreadableFileError for an archive that is broken, encrypted, or has too many entries.
 */
export async function innerFiles(path: string, name: string, limits = UNPACK_LIMITS): Promise<InnerFile[]> {
  const packing = packingOf(await beginningOf(path));
  if (packing === 'zip') return zipFiles(path, name, limits);
  if (packing === 'parquet') return [{ name, open: noText, parquet: parquetAt(path) }];
  if (packing === 'none') return [{ name, open: () => textOf(() => createReadStream(path)) }];
  const unpacked = (): AsyncIterable<Buffer> => {
    const packed = createReadStream(path);
    const gunzip = createGunzip();
    packed.on('error', (error) => gunzip.destroy(error));
    return limited(packed.pipe(gunzip), () => packed.bytesRead, limits);
  };
  return [{ name, open: () => textOf(unpacked, true) }];
}

function packingOf(beginning: Buffer): Packing {
  if (beginning[0] === 0x1f && beginning[1] === 0x8b) return 'gzip';
  if (beginning.toString('latin1', 0, 4) === 'PAR1') return 'parquet';
  // The second is an archive without entries.
  return ['PK\u0003\u0004', 'PK\u0005\u0006'].includes(beginning.toString('latin1', 0, 4)) ? 'zip' : 'none';
}

function parquetAt(path: string): ParquetFile {
  return {
    bytes: () => createReadStream(path),
    read: (feederColumn) => readParquetApart(path, feederColumn),
  };
}

// biome-ignore lint/correctness/useYield: it is the text of a file that has none.
async function* noText(): AsyncGenerator<string> {
  throw new UnreadableFileError(undefined, 'it is Parquet, which is no text');
}

async function beginningOf(path: string): Promise<Buffer> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(4), 0, 4, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

/** @param isUnpacked whether it comes out of an archive already: another one within is refused. */
async function* textOf(bytes: () => AsyncIterable<Buffer>, isUnpacked = false): AsyncGenerator<string> {
  let decoder: InstanceType<typeof TextDecoder> | undefined;
  try {
    for await (const piece of bytes()) {
      if (decoder === undefined) {
        if (isUnpacked && packingOf(piece) !== 'none')
          throw new UnreadableFileError(
            undefined,
            'it holds another archive, or Parquet: unpack it once first',
          );
        const isUtf16 = piece[0] === 0xff && piece[1] === 0xfe;
        decoder = new TextDecoder(isUtf16 ? 'utf-16le' : 'utf-8', { fatal: true });
      }
      const text = decoder.decode(piece, { stream: true });
      if (text !== '') yield text;
    }
    const rest = decoder?.decode() ?? '';
    if (rest !== '') yield rest;
  } catch (error) {
    throw readable(error);
  }
}

/** What the decoder and zlib say, as a sentence about the file. */
function readable(error: unknown): unknown {
  const code = (error as NodeJS.ErrnoException | undefined)?.code ?? '';
  if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA')
    return new UnreadableFileError(undefined, 'it is no UTF-8 text: save it as UTF-8');
  if (code.startsWith('Z_'))
    return new UnreadableFileError(undefined, `its gzip is broken or cut off (${code})`);
  return error;
}

async function zipFiles(path: string, name: string, limits: UnpackLimits): Promise<InnerFile[]> {
  const entries = await entriesOf(path, limits);
  const files = entries.filter(
    ({ fileName }) => !fileName.endsWith('/') && !/(^|\/)(__MACOSX|\.)/.test(fileName),
  );
  if (files.some(({ fileName }) => fileName === '[Content_Types].xml'))
    throw new UnreadableFileError(undefined, 'it is a workbook (xlsx) or a document: save the sheet as CSV');
  if (files.length === 0) throw new UnreadableFileError(undefined, 'the zip has no files');
  return files.map(({ fileName }) => ({
    name: `${name}/${fileName}`,
    open: () => textOf(() => entryBytes(path, fileName, limits), true),
  }));
}

function openZip(path: string): Promise<yauzl.ZipFile> {
  return new Promise((resolve, reject) =>
    yauzl.open(path, { lazyEntries: true, autoClose: false }, (error, zip) =>
      error ? reject(brokenZip(error)) : resolve(zip),
    ),
  );
}

function brokenZip(error: Error): UnreadableFileError {
  return new UnreadableFileError(undefined, `its zip is broken or cut off (${error.message})`);
}

async function eachEntry(
  path: string,
  take: (zip: yauzl.ZipFile, entry: yauzl.Entry) => boolean,
): Promise<yauzl.ZipFile> {
  const zip = await openZip(path);
  await new Promise<void>((resolve, reject) => {
    zip.on('error', (error: Error) => reject(brokenZip(error)));
    zip.on('end', () => resolve());
    zip.on('entry', (entry: yauzl.Entry) => (take(zip, entry) ? zip.readEntry() : resolve()));
    zip.readEntry();
  }).catch((error: unknown) => {
    zip.close();
    throw error;
  });
  return zip;
}

async function entriesOf(path: string, { entries: most }: UnpackLimits): Promise<yauzl.Entry[]> {
  const entries: yauzl.Entry[] = [];
  const zip = await eachEntry(path, (_, entry) => {
    entries.push(entry);
    return entries.length <= most;
  });
  zip.close();
  if (entries.length > most)
    throw new UnreadableFileError(undefined, `the zip has more than ${most} entries`);
  const locked = entries.find((entry) => (entry.generalPurposeBitFlag & 1) === 1);
  if (locked) throw new UnreadableFileError(undefined, `${locked.fileName} in the zip is encrypted`);
  return entries;
}

async function* entryBytes(path: string, fileName: string, limits: UnpackLimits): AsyncGenerator<Buffer> {
  let found: yauzl.Entry | undefined;
  const zip = await eachEntry(path, (_, entry) => {
    if (entry.fileName === fileName) found = entry;
    return found === undefined;
  });
  try {
    const entry = found as yauzl.Entry | undefined;
    if (entry === undefined)
      throw new UnreadableFileError(undefined, `${fileName} is not in the zip any more`);
    const stream = await new Promise<Readable>((resolve, reject) =>
      zip.openReadStream(entry, (error, opened) => (error ? reject(brokenZip(error)) : resolve(opened))),
    );
    yield* limited(stream, () => entry.compressedSize, limits);
  } catch (error) {
    throw error instanceof UnreadableFileError ? error : brokenZip(error as Error);
  } finally {
    zip.close();
  }
}
