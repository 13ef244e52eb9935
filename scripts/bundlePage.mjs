/**
 * The dashboard: `page/` becomes one script and one style sheet with hashes in their names, so that a browser may keep
 * them for good, and an `index.html` that names them. Each is written a second and a third time, compressed: what never
 * changes is compressed once here and not at each request.
 */
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

/** Whatever is Baseline since 2023: `:focus-visible`, `:has`, nesting is compiled away. */
const BROWSERS = ['chrome115', 'firefox115', 'safari16.4'];

/**
 * The files of the page, by path and content, and the paths of what went into them; nothing is written.
 *
 * @param buildSync esbuild's.
 * @param root the checkout.
 * @param outdir where they will stand.
 */
export function bundlePage(buildSync, root, outdir) {
  const { outputFiles, metafile } = buildSync({
    absWorkingDir: root,
    entryPoints: { app: 'page/main.tsx', style: 'page/styles/page.css' },
    entryNames: '[name]-[hash]',
    outdir,
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: BROWSERS,
    jsx: 'automatic',
    jsxImportSource: 'preact',
    legalComments: 'none',
    metafile: true,
    write: false,
    logLevel: 'silent',
  });
  const nameOf = (ending) => {
    const found = outputFiles.find(({ path }) => path.endsWith(ending));
    return basename(found.path);
  };
  const html = readFileSync(join(root, 'page/index.html'), 'utf8')
    .replaceAll('{{script}}', nameOf('.js'))
    .replaceAll('{{style}}', nameOf('.css'));
  const plain = [
    ...outputFiles.map(({ path, contents }) => ({ path, contents: Buffer.from(contents) })),
    { path: join(outdir, 'index.html'), contents: Buffer.from(html) },
    { path: join(outdir, 'icon.svg'), contents: readFileSync(join(root, 'page/icon.svg')) },
  ];
  const files = plain.flatMap(({ path, contents }) => [
    { path, contents },
    { path: `${path}.gz`, contents: gzipSync(contents, { level: 9 }) },
    {
      path: `${path}.br`,
      contents: brotliCompressSync(contents, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }),
    },
  ]);
  return { files, inputs: Object.keys(metafile.inputs) };
}
