import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** Bull Board's page; found where the packages are, in a bundle too. */
export const UI_FOLDER = dirname(createRequire(import.meta.url).resolve('@bull-board/ui/package.json'));

/**
 * The document of Bull Board's page. Its own one has styles in it and fetches fonts from another host, neither of which the
 * product's security policy lets pass; so only the names of its scripts and style sheets are taken from there.
 *
 * @param path without a slash at the end; where the page looks for its files and its routes.
 * @param settings as Bull Board's page reads them.
 */
export function documentOf(path: string, settings: object): string {
  const theirs = readFileSync(join(UI_FOLDER, 'dist/index.ejs'), 'utf8');
  const styles = namesIn(theirs, /<link [^>]*href="(static\/[^"]+\.css)"/g);
  const scripts = namesIn(theirs, /<script [^>]*src="(static\/[^"]+\.js)"/g);
  // No string in it ends the element, whatever it says.
  const json = JSON.stringify(settings).replaceAll('<', '\\u003c');
  return `<!DOCTYPE html>
<html lang="en" dir="ltr">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<base href="${path}/">
<title>GridLens queues</title>
<link rel="icon" type="image/svg+xml" id="fav-logo" href="static/images/logo.svg">
${styles.map((name) => `<link rel="stylesheet" href="${name}">`).join('\n')}
</head>
<body class="preload">
<script id="__UI_CONFIG__" type="application/json">${json}</script>
<div id="root">Loading…</div>
${scripts.map((name) => `<script defer src="${name}"></script>`).join('\n')}
</body>
</html>
`;
}

function namesIn(text: string, form: RegExp): string[] {
  return [...text.matchAll(form)].map(([, name]) => name as string);
}
