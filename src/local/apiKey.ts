import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { keptOnce, makeFolder } from './keptFile.js';

/**
 * The local stack's own Bearer key: made once, kept in `<dataDir>/api-key` with mode 0600.
 *
 * The prefix lets a person, or a secret scanner, see what it is; 32 random bytes follow it.
 */
export async function localApiKey(dataDir: string): Promise<string> {
  await makeFolder(dataDir);
  return keptOnce(join(dataDir, 'api-key'), () => `glk_${randomBytes(32).toString('base64url')}`);
}
