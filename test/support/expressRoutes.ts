import type { Express } from 'express';

/** As much of a layer of Express's router as is looked at. */
interface Layer {
  name: string;
  /** Where the layer is mounted. */
  rawPath?: string;
  route?: { path: string; methods: Record<string, boolean> };
  handle?: { stack?: Layer[] };
}

const METHODS = ['get', 'post', 'put', 'patch', 'delete'];

/**
 * The routes that an app has, as OpenAPI writes them: `GET /api/ami/publish/{publishId}`. HEAD, OPTIONS and 405 are left out,
 * since they follow from the others. What is in an app that is mounted on this one cannot be seen: it is a GET of the path.
 */
export function expressRoutes(app: Express): string[] {
  return routesIn((app.router as unknown as { stack: Layer[] }).stack, '');
}

function routesIn(stack: readonly Layer[], prefix: string): string[] {
  return stack.flatMap(({ route, handle, name, rawPath }) => {
    if (route) {
      const path = shown(`${prefix}${route.path}`);
      return METHODS.filter((method) => route.methods[method]).map(
        (method) => `${method.toUpperCase()} ${path}`,
      );
    }
    if (name === 'mounted_app') return [`GET ${shown(`${prefix}${mounted(rawPath)}`)}`];
    return handle?.stack?.some(hasRoutes) ? routesIn(handle.stack, prefix + mounted(rawPath)) : [];
  });
}

function mounted(rawPath: string | undefined): string {
  // Else a router would pass for one at the root.
  if (typeof rawPath !== 'string') throw new Error(`a router is mounted at ${rawPath}, which is no path`);
  return rawPath === '/' ? '' : rawPath;
}

function hasRoutes({ route, handle }: Layer): boolean {
  return route !== undefined || (handle?.stack ?? []).some(hasRoutes);
}

const shown = (path: string): string => path.replaceAll(/:(\w+)/g, '{$1}');
