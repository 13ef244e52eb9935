import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { crc32, deflateRawSync, gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { innerFiles } from '../../src/imports/packedFile.js';
import { UNPACK_LIMITS } from '../../src/imports/unpackLimits.js';
import { UnreadableFileError } from '../../src/intervalFiles/intervalFiles.js';

const folder = mkdtempSync(join(tmpdir(), 'packed-'));
afterAll(() => rmSync(folder, { recursive: true }));

let written = 0;
function file(content: Buffer | string): string {
  written += 1;
  const path = join(folder, String(written));
  writeFileSync(path, content);
  return path;
}

const sample = readFileSync(
  fileURLToPath(new URL('../data/interval-files/long-interval-end-us.csv', import.meta.url)),
);

interface ZipEntry {
  name: string;
  content: Buffer;
  /** What the archive says its size is, where that is not the truth. */
  saidSize?: number;
  isEncrypted?: boolean;
}

/** A zip with deflated entries, as PKZIP's APPNOTE has it. */
function zip(entries: readonly ZipEntry[]): Buffer {
  const locals: Buffer[] = [];
  const centrals: Buffer[] = [];
  let offset = 0;
  for (const { name, content, saidSize = content.length, isEncrypted = false } of entries) {
    const packed = deflateRawSync(content);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(isEncrypted ? 1 : 0, 2);
    common.writeUInt16LE(8, 4);
    common.writeUInt32LE(crc32(content), 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(saidSize, 18);
    common.writeUInt16LE(name.length, 22);
    const local = Buffer.concat([Buffer.from('PK\u0003\u0004'), common, Buffer.from(name), packed]);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(offset, 10);
    centrals.push(
      Buffer.concat([Buffer.from('PK\u0001\u0002'), Buffer.from([20, 0]), common, tail, Buffer.from(name)]),
    );
    locals.push(local);
    offset += local.length;
  }
  const central = Buffer.concat(centrals);
  const end = Buffer.alloc(22);
  end.write('PK\u0005\u0006');
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...locals, central, end]);
}

async function textsOf(content: Buffer | string, limits = UNPACK_LIMITS): Promise<Record<string, string>> {
  const texts: Record<string, string> = {};
  for (const { name, open } of await innerFiles(file(content), 'upload', limits)) {
    texts[name] = '';
    for await (const piece of open()) texts[name] += piece;
  }
  return texts;
}

const TEXT = new TextDecoder().decode(sample);
const TIGHT = { entries: 3, ratio: 20, freeBytes: 1_000, bytes: 1_000_000 };

describe('packed files', () => {
  it.each([
    ['as it is', sample, 'upload'],
    ['as gzip', gzipSync(sample), 'upload'],
    ['as zip', zip([{ name: 'reads.csv', content: sample }]), 'upload/reads.csv'],
  ])('reads a file %s, found by content', async (_what, content, name) => {
    expect(await textsOf(content)).toEqual({ [name]: TEXT });
  });

  it('reads UTF-16 with its byte order mark', async () => {
    expect(await textsOf(Buffer.from('\uFEFFZähler;kWh\n', 'utf16le'))).toEqual({ upload: 'Zähler;kWh\n' });
  });

  it('reads each file of a zip, and none of what a Mac adds', async () => {
    const content = Buffer.from('x');
    const names = ['a.csv', 'folder/b.csv', '__MACOSX/._a.csv', 'folder/'];
    const texts = await textsOf(
      zip(names.map((name) => ({ name, content: name.endsWith('/') ? Buffer.alloc(0) : content }))),
    );
    expect(Object.keys(texts)).toEqual(['upload/a.csv', 'upload/folder/b.csv']);
  });

  const repeats = Buffer.alloc(100_000, '0');
  it.each([
    ['a gzip that unpacks to far more than it is', gzipSync(repeats)],
    ['a zip entry that unpacks to far more than it is', zip([{ name: 'a', content: repeats }])],
    ['a zip entry that is larger than it says', zip([{ name: 'a', content: sample, saidSize: 10 }])],
    [
      'a zip of more entries than the limit',
      zip(['a', 'b', 'c', 'd'].map((name) => ({ name, content: sample }))),
    ],
    ['a gzip within a gzip', gzipSync(gzipSync(sample))],
    ['a zip within a zip', zip([{ name: 'a.zip', content: zip([{ name: 'a', content: sample }]) }])],
    ['an encrypted entry', zip([{ name: 'a', content: sample, isEncrypted: true }])],
    ['a workbook', zip([{ name: '[Content_Types].xml', content: sample }])],
    ['a gzip that is cut off', gzipSync(sample).subarray(0, 500)],
    ['a zip that is cut off', zip([{ name: 'a', content: sample }]).subarray(0, 500)],
    ['an empty zip entry list', zip([])],
    ['text that is no UTF-8', Buffer.from([0x5a, 0xe4, 0x68, 0x6c, 0x65, 0x72])],
  ])('refuses %s, with the reason', async (_what, content) => {
    await expect(textsOf(content, TIGHT)).rejects.toBeInstanceOf(UnreadableFileError);
  });
});
