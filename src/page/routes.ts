/**
 * Room: page. Promises: the dashboard at `/` and at the addresses of its views, and the API reference at `/docs`, to anybody
 * who asks, as files that were made and compressed before. What they show they ask of the API, like any other reader.
 */

import type { Request, RequestHandler, Response, Router } from 'express';
import { ApiError } from '../contracts/errors.js';
import { resource } from '../http/resource.js';
import { type Encoding, type PageFile, readPage } from './files.js';

/** The page is one document; its script shows the view that the address names (`page/core/address.ts`). */
const VIEWS = ['/', '/feeders/:id', '/meters/:id', '/events', '/automatic'];
const ENCODINGS: Encoding[] = ['br', 'gzip', 'identity'];
const HASHED_NAME = /-[0-9A-Z]{8}\.\w+$/;
/** A hash in the name says what is in the file. */
const FOR_GOOD = 'public, max-age=31536000, immutable';
const ASK_AGAIN = 'no-cache';

/**
 * `GET /` and the other views, `GET /docs`, `GET /openapi.json`, `GET /assets/:name`. Without a key, since they say nothing of any
 * tenant.
 */
export function pageRoutes(router: Router): void {
  let page: Promise<Map<string, PageFile>> | undefined;
  const fileOf = async (name: string): Promise<PageFile> => {
    page ??= readPage();
    const files = await page.catch((error) => {
      // It may be built while this process runs.
      page = undefined;
      throw error;
    });
    const file = files.get(name);
    if (!file) throw new ApiError(404, 'not_found', `The dashboard has no file ${name}; load it again.`);
    return file;
  };
  const document =
    (name: string): RequestHandler =>
    async (request, response) => {
      send(request, response, await fileOf(name), ASK_AGAIN);
    };
  for (const path of VIEWS) resource(router, path, { get: [document('index.html')] });
  resource(router, '/docs', { get: [document('docs.html')] });
  resource(router, '/openapi.json', { get: [document('openapi.json')] });
  resource(router, '/assets/:name', {
    get: [
      async (request, response) => {
        const name = String(request.params.name);
        send(request, response, await fileOf(name), HASHED_NAME.test(name) ? FOR_GOOD : ASK_AGAIN);
      },
    ],
  });
}

function send(request: Request, response: Response, { type, contents }: PageFile, caching: string): void {
  // Ours is the order: browsers name gzip before br, and mean no preference by that.
  const encoding = ENCODINGS.find((one) => request.acceptsEncodings(one)) ?? 'identity';
  response.set({ 'Content-Type': type, 'Cache-Control': caching, Vary: 'Accept-Encoding' });
  if (encoding !== 'identity') response.set('Content-Encoding', encoding);
  // Express adds an ETag by the bytes that are sent, and answers 304.
  response.send(contents[encoding]);
}
