import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { Writable } from 'node:stream';
import type { Request, Response } from 'express';
import { ApiError } from '../contracts/errors.js';
import { NobodyWaitsError } from '../db/shares.js';
import { inviteBody } from './expectContinue.js';
import { arriveSlowly } from './slowArrivals.js';

export interface FileBodyLimits {
  bytes: number;
  /** A body of which nothing comes for so long is given up, ms. */
  stalledMs: number;
}

const NEITHER = 'application/json and multipart/form-data';

/**
 * Checks by its headers alone that a request carries a file as its body, as it is.
 *
 * @throws ApiError 415 for a form, JSON or a packed transfer, 413 where its length is told and too large, 400 without a body.
 */
export function requireFileBody(request: Request, { bytes }: FileBodyLimits): void {
  const { 'content-encoding': encoding = 'identity', 'transfer-encoding': chunked } = request.headers;
  if (request.is(['application/json', 'multipart/form-data']))
    throw unsupported(
      `The body must be the file itself, neither ${NEITHER}: send it with curl --data-binary @FILE, or curl -X POST -T FILE.`,
    );
  if (encoding !== 'identity')
    throw unsupported(
      'Content-Encoding must be left out: a gzip or zip file is taken as it is, and told by its content.',
    );
  const length = Number(request.headers['content-length'] ?? 0);
  if (chunked === undefined && length === 0) throw noFile();
  if (length > bytes) throw fileTooLarge(bytes);
}

/**
 * Asks for the body and writes it into `sink`, however long it takes to come, as fast as the sink takes it.
 *
 * @returns its bytes; all of them are with the operating system then.
 * @throws ApiError 413 as soon as too much of it has come, 408 when it stalls, 400 when it is empty; NobodyWaitsError when the
 * caller has gone; what the sink fails with.
 */
export async function receiveFile(
  request: Request,
  response: Response,
  sink: Writable,
  limits: FileBodyLimits,
): Promise<number> {
  arriveSlowly(request);
  inviteBody(request, response);
  const failed = new Promise<never>((_, reject) => sink.once('error', reject));
  let stalled: () => void = () => undefined;
  const stall = new Promise<never>((_, reject) => {
    stalled = () => reject(new ApiError(408, 'request_timeout', stalledFor(limits.stalledMs)));
  });
  const timer = setTimeout(stalled, limits.stalledMs);
  // Whoever loses the race below must not end the process.
  for (const one of [failed, stall]) one.catch(() => undefined);
  try {
    return await Promise.race([pump(request, sink, limits.bytes, () => timer.refresh()), failed, stall]);
  } finally {
    clearTimeout(timer);
  }
}

async function pump(
  request: IncomingMessage,
  sink: Writable,
  limit: number,
  onPiece: () => void,
): Promise<number> {
  let bytes = 0;
  // The request is left as it is by an error: destroyed, its connection would go before the answer.
  for await (const piece of arriving(request)) {
    bytes += piece.length;
    if (bytes > limit) throw fileTooLarge(limit);
    if (!sink.write(piece)) await once(sink, 'drain');
    onPiece();
  }
  if (bytes === 0) throw noFile();
  sink.end();
  await once(sink, 'close');
  return bytes;
}

async function* arriving(request: IncomingMessage): AsyncGenerator<Buffer> {
  try {
    yield* request.iterator({ destroyOnReturn: false });
  } catch {
    throw new NobodyWaitsError();
  }
}

function noFile(): ApiError {
  return new ApiError(400, 'invalid_request', 'The body must be the file, and is empty.');
}

function fileTooLarge(limit: number): ApiError {
  const megabytes = Math.floor(limit / 2 ** 20);
  return new ApiError(
    413,
    'body_too_large',
    `The file must be at most ${megabytes} MB (IMPORT_MAX_MB): divide it, or take it in with npm run import.`,
  );
}

function unsupported(message: string): ApiError {
  return new ApiError(415, 'unsupported_media_type', message);
}

function stalledFor(ms: number): string {
  return `The body has stopped coming: nothing of it arrived for ${Math.round(ms / 1_000)} s, so nothing is taken.`;
}
