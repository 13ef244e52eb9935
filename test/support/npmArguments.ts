import { readFileSync } from 'node:fs';

const PACKAGE = new URL('../../package.json', import.meta.url);

/** The arguments that `npm run api` or `npm run worker` gives to `node`. */
export function npmArguments(script: 'api' | 'worker'): string[] {
  const { scripts } = JSON.parse(readFileSync(PACKAGE, 'utf8')) as { scripts: Record<string, string> };
  return (scripts[script] ?? '').replace(/^exec node /, '').split(' ');
}
