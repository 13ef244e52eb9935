import express, { type Request, type RequestHandler, type Response } from 'express';
import { ApiError } from '../contracts/errors.js';
import { MAX_BODY_BYTES } from '../contracts/limits.js';
import { inviteBody } from './expectContinue.js';

/** Sets how many bytes a body may have on the routes behind it; elsewhere it is 100 kB. */
export function allowBody(bytes: number): RequestHandler {
  return (_request, response, next) => {
    response.locals.maxBodyBytes = bytes;
    next();
  };
}

/**
 * Parses a JSON body; no body at all is an empty object, so that its missing fields are named. One that is too large is
 * refused by its Content-Length before it is read, or as soon as too much of it has come.
 */
export function jsonBody(): RequestHandler[] {
  const onlyJson: RequestHandler = (request, _response, next) => {
    const hasBody =
      request.headers['transfer-encoding'] !== undefined ||
      Number(request.headers['content-length'] ?? 0) > 0;
    if (hasBody && !request.is('application/json')) {
      throw new ApiError(
        415,
        'unsupported_media_type',
        'The body must be JSON: send the header "Content-Type: application/json".',
      );
    }
    next();
  };
  const parse: RequestHandler = (request, response, next) => {
    const limit = limitOf(response);
    if (Number(request.headers['content-length'] ?? 0) > limit) throw tooLarge(limit);
    inviteBody(request, response);
    let isOver = false;
    const once = (error?: unknown): void => {
      if (isOver) return;
      isOver = true;
      next(error);
    };
    // The parser says nothing before it has seen the end of a body that is too large.
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > limit) once(tooLarge(limit));
    });
    parserOf(limit)(request, response, once);
  };
  const emptyObject: RequestHandler = (request, _response, next) => {
    if (request.body === undefined) request.body = {};
    next();
  };
  return [onlyJson, parse, emptyObject];
}

const YAML = ['application/yaml', 'application/x-yaml', 'text/yaml', 'text/x-yaml', 'text/plain'];

/** The same for a body that may be YAML as well, which becomes its text; JSON becomes what it says. */
export function yamlOrJsonBody(): RequestHandler[] {
  const json = jsonBody();
  const text = express.text({ type: YAML, limit: MAX_BODY_BYTES });
  const isYaml = (request: Request): boolean => request.is(YAML) !== false && request.is(YAML) !== null;
  const readText: RequestHandler = (request, response, next) => {
    if (!isYaml(request)) return next();
    if (Number(request.headers['content-length'] ?? 0) > MAX_BODY_BYTES) throw tooLarge(MAX_BODY_BYTES);
    inviteBody(request, response);
    text(request, response, next);
  };
  return [
    readText,
    ...json.map<RequestHandler>((step) => (request, response, next) => {
      if (isYaml(request)) next();
      else step(request, response, next);
    }),
  ];
}

/** 413, in the words of the limit that was exceeded. */
export function tooLarge(limit: number): ApiError {
  const size = limit < 1_000_000 ? `${Math.floor(limit / 1024)} kB` : `${(limit / 1_000_000).toFixed(1)} MB`;
  return new ApiError(413, 'body_too_large', `The body must be at most ${size}.`);
}

function limitOf(response: Response): number {
  return response.locals.maxBodyBytes ?? MAX_BODY_BYTES;
}

const parsers = new Map<number, RequestHandler>();

function parserOf(limit: number): RequestHandler {
  const parser = parsers.get(limit) ?? express.json({ limit, strict: false });
  parsers.set(limit, parser);
  return parser;
}
