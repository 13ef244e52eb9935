/**
 * Room: ownFiles. Promises: the files that this package brings along are found, wherever its code runs from.
 */

import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const FOLDER = dirname(createRequire(import.meta.url).resolve('#product/package.json'));

/**
 * The path of a file or folder of this package: by the package itself, and not by the place of a source file, which is in a bundle
 * when it runs.
 *
 * @param parts below the folder of `package.json`, as `dist` and `worker.js`.
 */
export const ownFile = (...parts: string[]): string => join(FOLDER, ...parts);
