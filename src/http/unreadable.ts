import { randomUUID } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import type { RequestHandler } from 'express';
import { ApiError } from '../contracts/errors.js';
import { envelopeOf } from './envelope.js';

/** Characters of a request's target: path and query. The longest of ours has some 200. */
const MAX_URI_LENGTH = 8_192;

/** What Node's parser says of a request that it cannot read. */
export interface ParserError extends Error {
  code?: string;
  /** The bytes that it could not read. */
  rawPacket?: Buffer;
}

/**
 * The answer to a request that Node's parser cannot read.
 *
 * @param lineLength characters of its first line, infinite where it has not ended; looked for in what the parser shows
 * when left out.
 */
export function unreadable({ code, rawPacket }: ParserError, lineLength?: number): ApiError {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return new ApiError(408, 'request_timeout', 'The request did not arrive in time.');
  if (code !== 'HPE_HEADER_OVERFLOW')
    return new ApiError(400, 'invalid_request', 'The request could not be read as HTTP/1.1.');
  const lineEnd = rawPacket?.indexOf('\r\n') ?? 0;
  if ((lineLength ?? (lineEnd === -1 ? Number.POSITIVE_INFINITY : lineEnd)) > MAX_URI_LENGTH)
    return uriTooLong();
  return new ApiError(431, 'headers_too_large', 'The headers may have at most 16 kB together.');
}

/** The answer to CONNECT, for which Node asks no app. */
export function noTunnel(): ApiError {
  return new ApiError(405, 'method_not_allowed', 'CONNECT is not possible here.', {
    headers: { Allow: 'GET, HEAD, POST, OPTIONS' },
  });
}

/** An answer as the bytes of a connection that ends with it. */
export function rawAnswer(error: ApiError): string {
  const requestId = randomUUID();
  const body = JSON.stringify(envelopeOf(error, requestId));
  const headers = {
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': Buffer.byteLength(body),
    'X-Content-Type-Options': 'nosniff',
    'X-Request-Id': requestId,
    Connection: 'close',
    ...error.extra.headers,
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  return [`HTTP/1.1 ${error.status} ${STATUS_CODES[error.status]}`, ...lines, '', body].join('\r\n');
}

/** Refuses what Node's parser reads and nobody should send: a target that is too long, and HTTP/1.1 without Host. */
export const refuseOddRequests: RequestHandler = (request, _response, next) => {
  if (request.originalUrl.length > MAX_URI_LENGTH) throw uriTooLong();
  if (request.httpVersion === '1.1' && request.headers.host === undefined)
    throw new ApiError(400, 'invalid_request', 'A request in HTTP/1.1 needs the header Host.');
  next();
};

function uriTooLong(): ApiError {
  return new ApiError(414, 'uri_too_long', `Path and query may have at most ${MAX_URI_LENGTH} characters.`);
}
