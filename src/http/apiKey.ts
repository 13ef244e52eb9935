import type { Request, RequestHandler, Response } from 'express';
import { ipKeyGenerator, rateLimit } from 'express-rate-limit';
import type { Logger } from 'pino';
import { ApiError } from '../contracts/errors.js';
import { countOf, createAddressCounts, secondsUntilReset } from './addressCounts.js';
import { createKeyRing, type Keys } from './keyRing.js';
import { thinnedForStrangers } from './refusals.js';
import { leaveOutOfLog, loggedPath } from './requestLog.js';

/** Wrong keys that one address may send per minute; whoever mistypes a key does not reach it. */
export const WRONG_KEYS_PER_MINUTE = 20;
const WINDOW_MS = 60_000;

/** What guards the routes by key. */
export interface KeyGuards {
  /** Lets a request pass that carries a key which may write. */
  requireKey: RequestHandler;
  /** The same for pages of ours that a browser opens, whatever the method: the browser asks its user for the key. */
  requireBrowserKey: RequestHandler;
  /** Lets a GET or HEAD pass: without read keys every one, else those that carry a key. */
  requireReadKey: RequestHandler;
  /** Lets a GET or HEAD pass that carries any key, also where no read keys are set: for what is a customer's own. */
  requireAnyKey: RequestHandler;
}

/**
 * Guards by the deployment's keys. Refusals are logged with the client's address, never with what was sent.
 *
 * A right key always passes, whatever else came from its address: strangers behind the same proxy could otherwise lock its
 * holder out. So the limit does not keep anybody from guessing, which is for the length of the key to do; it bounds what
 * guessing costs this process, and makes it seen.
 */
export function createKeyGuards(keys: Keys, log: Logger): KeyGuards {
  const holderOf = createKeyRing(keys);
  const thinned = thinnedForStrangers();
  const limitWrongKeys = rateLimit({
    windowMs: WINDOW_MS,
    limit: WRONG_KEYS_PER_MINUTE,
    store: createAddressCounts(),
    legacyHeaders: false,
    standardHeaders: false,
    // They print plain text between the JSON lines, for example about X-Forwarded-For, which anybody may send.
    validate: false,
    handler: (request, _response, next) => next(tooManyWrongKeys(request)),
  });

  const refuse = (request: Request, response: Response, error: ApiError): ApiError => {
    leaveOutOfLog(response);
    const address = request.ip ?? 'unknown';
    const wrongKeys = countOf(request)?.used;
    const facts = {
      address,
      status: error.status,
      method: request.method,
      path: loggedPath(request.originalUrl),
    };
    const counted = wrongKeys === undefined ? {} : { wrongKeys, limit: WRONG_KEYS_PER_MINUTE };
    thinned(`${error.status} ${ipKeyGenerator(address)}`, (heldBack) =>
      log.warn({ ...facts, ...counted, ...(heldBack > 0 ? { heldBack } : {}) }, REFUSED[error.status]),
    );
    return error;
  };
  const refuseWrongKey = (request: Request, response: Response, next: (error: ApiError) => void): void => {
    limitWrongKeys(request, response, (error?: unknown) =>
      next(refuse(request, response, error instanceof ApiError ? error : wrongKey())),
    );
  };

  return {
    requireKey(request, response, next) {
      switch (holderOf(request.headers.authorization)) {
        case 'writer':
          response.locals.holdsKey = true;
          return next();
        case 'reader':
          throw refuse(request, response, mayOnlyRead());
        case 'none':
          throw refuse(request, response, noKey('GRIDLENS_API_KEY'));
        case 'wrong':
          return refuseWrongKey(request, response, next);
      }
    },
    requireBrowserKey(request, response, next) {
      switch (holderOf(asBearer(request.headers.authorization))) {
        case 'writer':
          response.locals.holdsKey = true;
          return next();
        case 'wrong':
          return refuseWrongKey(request, response, (error) => next(askingBrowser(error)));
        default:
          throw refuse(request, response, askingBrowser(noKeyInBrowser()));
      }
    },
    requireReadKey(request, response, next) {
      if (request.method !== 'GET' && request.method !== 'HEAD') return next();
      const holder = holderOf(request.headers.authorization);
      response.locals.holdsKey = holder === 'writer' || holder === 'reader';
      if (keys.read.length === 0 || response.locals.holdsKey) return next();
      if (holder === 'none') throw refuse(request, response, noKey('GRIDLENS_READ_KEY'));
      return refuseWrongKey(request, response, next);
    },
    requireAnyKey(request, response, next) {
      if (request.method !== 'GET' && request.method !== 'HEAD') return next();
      const holder = holderOf(request.headers.authorization);
      response.locals.holdsKey = holder === 'writer' || holder === 'reader';
      if (response.locals.holdsKey) return next();
      if (holder === 'none') throw refuse(request, response, noKey('GRIDLENS_API_KEY or GRIDLENS_READ_KEY'));
      return refuseWrongKey(request, response, next);
    },
  };
}

/** Whether the request that is answered carried a right key; without one, hosts and statements are left out. */
export function holdsKey(response: Response): boolean {
  return response.locals.holdsKey === true;
}

const REFUSED: Record<number, string> = {
  401: 'refused: no key, or a wrong one',
  403: 'refused: a read key, where a key is needed that may write',
  429: 'refused: too many wrong keys from this address',
};

/**
 * What a browser sends of what its user has typed: a name, which may be any, and the key as the password. As a header of ours;
 * another one stays what it is.
 */
function asBearer(authorization: string | undefined): string | undefined {
  const encoded = /^Basic +([\w+/=-]+) *$/i.exec(authorization ?? '')?.[1];
  if (encoded === undefined) return authorization;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  return `Bearer ${text.slice(text.indexOf(':') + 1)}`;
}

/** A browser asks its user once more where it is told to by 401; a read key, too, is answered so, or it could not be changed. */
function askingBrowser(error: ApiError): ApiError {
  if (error.status !== 401) return error;
  return new ApiError(401, 'unauthorized', error.message, {
    headers: { 'WWW-Authenticate': 'Basic realm="GridLens queues", charset="UTF-8"' },
  });
}

function noKeyInBrowser(): ApiError {
  const message =
    'This page needs a key that may write (GRIDLENS_API_KEY): give any name, and the key as the password.';
  return new ApiError(401, 'unauthorized', message);
}

const CHALLENGE = { 'WWW-Authenticate': 'Bearer' };

function noKey(variable: string): ApiError {
  const message = `This request needs the API key: send the header "Authorization: Bearer <${variable}>".`;
  return new ApiError(401, 'unauthorized', message, { headers: CHALLENGE });
}

function wrongKey(): ApiError {
  const message = 'The API key in the Authorization header is not the one this deployment was started with.';
  return new ApiError(401, 'unauthorized', message, { headers: CHALLENGE });
}

function mayOnlyRead(): ApiError {
  return new ApiError(
    403,
    'forbidden',
    'This key may only read: a POST needs one of GRIDLENS_API_KEY, in the header "Authorization: Bearer <GRIDLENS_API_KEY>".',
  );
}

function tooManyWrongKeys(request: Request): ApiError {
  return new ApiError(
    429,
    'too_many_wrong_keys',
    `This address has sent more than ${WRONG_KEYS_PER_MINUTE} wrong keys in a minute; the right one is taken at any time.`,
    { headers: { 'Retry-After': String(secondsUntilReset(request)) } },
  );
}
