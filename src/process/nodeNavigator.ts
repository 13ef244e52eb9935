/**
 * Node 20 has no `navigator`. pg, which asks when it is loaded whether it runs at Cloudflare, then looks at `Response`, and
 * for that Node loads its whole HTTP client: 9 MB of every process, which nothing uses. Node 21 and newer say what is said
 * here.
 *
 * Imported before anything that imports pg.
 */
if (!('navigator' in globalThis)) {
  const userAgent = `Node.js/${process.versions.node.split('.')[0]}`;
  Object.defineProperty(globalThis, 'navigator', { value: Object.freeze({ userAgent }), configurable: true });
}
