import { readdir, readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { ApiError } from '../contracts/errors.js';
import { ownFile } from '../ownFiles/ownFile.js';

/** What `scripts/compile.mjs` has made of `page/` and `src/reference/`. */
const FOLDER = ownFile('dist', 'browser');

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.json': 'application/json; charset=utf-8',
};
/** How a file may be sent, the smallest first, with the ending of its file. */
const ENDINGS = { br: '.br', gzip: '.gz', identity: '' } as const;
export type Encoding = keyof typeof ENDINGS;

/** A file of the page, and its content by encoding. */
export interface PageFile {
  type: string;
  contents: Record<Encoding, Buffer>;
}

/** All files of the page by name, read together: a build under a running process mixes no old names with new ones. */
export async function readPage(): Promise<Map<string, PageFile>> {
  const names = await readdir(FOLDER).catch(notBuilt);
  const plain = names.filter((name) => TYPES[extname(name)]);
  return new Map(
    await Promise.all(plain.map(async (name) => [name, await readOne(name).catch(notBuilt)] as const)),
  );
}

async function readOne(name: string): Promise<PageFile> {
  const read = (encoding: Encoding): Promise<Buffer> => readFile(join(FOLDER, name + ENDINGS[encoding]));
  const [br, gzip, identity] = await Promise.all([read('br'), read('gzip'), read('identity')]);
  return { type: TYPES[extname(name)] as string, contents: { br, gzip, identity } };
}

function notBuilt(): never {
  throw new ApiError(
    503,
    'unavailable',
    'The dashboard is not built: run `npm run build` where the API runs.',
  );
}
