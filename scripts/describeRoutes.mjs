/**
 * The API reference: `src/reference/` becomes `openapi.json`. It is made here and not by the API, which would have to stop for
 * a quarter of a second to make it, and would carry a package that nothing else of it needs.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { runInThisContext } from 'node:vm';

/**
 * The document as text, and the paths of what it was made from.
 *
 * @param buildSync esbuild's.
 * @param root the checkout.
 */
export function describeRoutes(buildSync, root) {
  const { outputFiles, metafile } = buildSync({
    absWorkingDir: root,
    entryPoints: ['src/reference/document.ts'],
    outdir: 'dist',
    bundle: true,
    format: 'cjs',
    platform: 'node',
    target: 'node20',
    mainFields: ['module', 'main'],
    metafile: true,
    write: false,
    logLevel: 'silent',
  });
  const module = { exports: {} };
  const evaluate = runInThisContext(`(function (module, exports, require) {${outputFiles[0].text}\n})`);
  evaluate(module, module.exports, createRequire(import.meta.url));
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  return {
    text: JSON.stringify(module.exports.openApiDocument(version)),
    inputs: Object.keys(metafile.inputs),
  };
}
