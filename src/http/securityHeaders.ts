import type { RequestHandler } from 'express';
import helmet from 'helmet';

const YEAR_SECONDS = 31_536_000;

/**
 * What a page served by this process may do: run scripts, load styles, fonts and images that this process serves, and ask
 * its routes. No inline script, no other origin, no frame around it. `upgrade-insecure-requests` is left out: over plain http
 * it has the browser ask for the page's own script over https, where nobody listens. Styles that a script sets are no
 * inline styles to this policy, so charts work.
 */
const PAGE_POLICY = {
  'default-src': ["'none'"],
  'script-src': ["'self'"],
  'style-src': ["'self'"],
  'img-src': ["'self'", 'data:'],
  'font-src': ["'self'"],
  'connect-src': ["'self'"],
  'base-uri': ["'none'"],
  'form-action': ["'none'"],
  'frame-ancestors': ["'none'"],
};

/** The same for a page whose links count from its `<base>`, which may name this process alone. */
export function pageWithBase(): RequestHandler {
  return helmet.contentSecurityPolicy({
    useDefaults: false,
    directives: { ...PAGE_POLICY, 'base-uri': ["'self'"] },
  });
}

/**
 * Security headers that fit how the request came: over https the browser is told to stay there for a year, at this name
 * alone, since nobody knows of its other subdomains. Over http it is told nothing that holds for https only. Behind a proxy
 * that is trusted, what the proxy says counts.
 */
export function securityHeaders(): RequestHandler {
  const common = {
    contentSecurityPolicy: { useDefaults: false, directives: PAGE_POLICY },
    xFrameOptions: { action: 'deny' },
  } as const;
  const overHttp = helmet({
    ...common,
    strictTransportSecurity: false,
    crossOriginOpenerPolicy: false,
    originAgentCluster: false,
  });
  const overHttps = helmet({
    ...common,
    strictTransportSecurity: { maxAge: YEAR_SECONDS, includeSubDomains: false },
  });
  return (request, response, next) =>
    request.secure ? overHttps(request, response, next) : overHttp(request, response, next);
}
