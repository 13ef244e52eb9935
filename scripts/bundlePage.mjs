/**
 * The dashboard and the API reference: each becomes one script and one style sheet with hashes in their names, so that a
 * browser may keep them for good, and a document that names them. Each is written a second and a third time, compressed: what never
 * changes is compressed once here and not at each request.
 */
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

/** Each document, with the entry of its script and of its style sheet. */
const DOCUMENTS = [
  { html: 'page/index.html', script: 'app', style: 'style' },
  { html: 'page/docs/docs.html', script: 'docs', style: 'docs-style' },
];

/** Whatever is Baseline since 2023: `:focus-visible`, `:has`, nesting is compiled away. */
const BROWSERS = ['chrome115', 'firefox115', 'safari16.4'];

/**
 * The files of the page, by path and content, and the paths of what went into them; nothing is written.
 *
 * @param buildSync esbuild's.
 * @param root the checkout.
 * @param outdir where they will stand.
 * @param more texts that are served beside them, by name.
 */
export function bundlePage(buildSync, root, outdir, more = {}) {
  const { outputFiles, metafile } = buildSync({
    absWorkingDir: root,
    entryPoints: {
      app: 'page/main.tsx',
      style: 'page/styles/page.css',
      docs: 'page/docs/docs.ts',
      'docs-style': 'page/docs/docs.css',
    },
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
  const nameOf = (entry, ending) => {
    const hash = '-[0-9A-Z]{8}';
    const name = new RegExp(`^${entry}${hash}\\${ending}$`);
    return outputFiles.map(({ path }) => basename(path)).find((one) => name.test(one));
  };
  const documents = DOCUMENTS.map(({ html, script, style }) => ({
    path: join(outdir, basename(html)),
    contents: Buffer.from(
      readFileSync(join(root, html), 'utf8')
        .replaceAll('{{script}}', nameOf(script, '.js'))
        .replaceAll('{{style}}', nameOf(style, '.css')),
    ),
  }));
  const plain = [
    ...outputFiles.map(({ path, contents }) => ({ path, contents: Buffer.from(contents) })),
    ...documents,
    ...Object.entries(more).map(([name, text]) => ({
      path: join(outdir, name),
      contents: Buffer.from(text),
    })),
    { path: join(outdir, 'icon.svg'), contents: readFileSync(join(root, 'page/icon.svg')) },
  ];
  const files = plain.flatMap(({ path, contents }) => [
    { path, contents },
    { path: `${path}.gz`, contents: gzipSync(contents, { level: 9 }) },
    {
      path: `${path}.br`,
      contents: brotliCompressSync(contents, {
        params: { [constants.BROTLI_PARAM_QUALITY]: qualityFor(contents) },
      }),
    },
  ]);
  return { files, inputs: Object.keys(metafile.inputs) };
}

/** Of the viewer of the reference, 1.6 MB, the best takes 8 s of each build in place of 0.4, for 8 % less. */
function qualityFor({ length }) {
  return length > 500_000 ? 9 : 11;
}
