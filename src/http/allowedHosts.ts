import { isIP } from 'node:net';
import type { RequestHandler } from 'express';
import { ApiError } from '../contracts/errors.js';

export interface HostRules {
  /** Names under which this API is asked; undefined where the configuration names none. */
  allowedHosts: readonly string[] | undefined;
  /** The address that it listens on. */
  host: string;
  trustedProxyHops: number;
}

/** A balancer asks by whatever name it has, and what it learns is in no page's interest. */
export const PROBES = ['/healthz', '/readyz'];

/**
 * Refuses requests for another name than this API's. A web page whose owner points its host name at 127.0.0.1 (DNS
 * rebinding) would otherwise read here as from its own origin. Addresses and `localhost` are always right: nobody else can
 * have a page under them.
 *
 * Without `ALLOWED_HOSTS` an API that only this machine reaches, with no proxy before it, has no other name; one that
 * others reach has names that it cannot know.
 */
export function refuseOtherHosts({ allowedHosts, host, trustedProxyHops }: HostRules): RequestHandler {
  if (allowedHosts === undefined && (!isLocal(host) || trustedProxyHops > 0))
    return (_request, _response, next) => next();
  const names = new Set(allowedHosts?.map((name) => name.toLowerCase()));
  return (request, _response, next) => {
    const asked = hostName(request.headers.host);
    if (asked === undefined || isUnmistakable(asked) || names.has(asked) || PROBES.includes(request.path))
      return next();
    throw new ApiError(
      421,
      'misdirected_request',
      'This API is not asked under the name in the header Host; names other than localhost have to be in ALLOWED_HOSTS.',
    );
  };
}

/** The name without its port, in lower case; undefined where there is none, which is for others to refuse. */
function hostName(header: string | undefined): string | undefined {
  if (header === undefined || header === '') return undefined;
  return header.replace(/:\d*$/, '').replace(/\.$/, '').toLowerCase();
}

function isUnmistakable(name: string): boolean {
  return isLocal(name) || isIP(name.replace(/^\[(.*)\]$/, '$1')) > 0;
}

function isLocal(host: string): boolean {
  return (
    ['localhost', '::1'].includes(host) ||
    host.endsWith('.localhost') ||
    (isIP(host) === 4 && host.startsWith('127.'))
  );
}
