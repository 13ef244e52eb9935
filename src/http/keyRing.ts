import { createHash, timingSafeEqual } from 'node:crypto';

/** The keys of a deployment. Each of a kind does the same, so that a new one can be handed out before the old one goes. */
export interface Keys {
  /** May do everything. */
  write: readonly string[];
  /** May read; none: everybody may. */
  read: readonly string[];
}

/** What a request may do by its key; `none`: it carries no key, `wrong`: one that is not among them. */
export type Holder = 'writer' | 'reader' | 'wrong' | 'none';

/**
 * Says whose key an `Authorization` header carries (`Bearer <key>`, D15).
 *
 * The time that it takes depends on the header alone, never on the keys: hashing makes all of them the same length, and
 * each is compared even where one before it was the same.
 */
export function createKeyRing({ write, read }: Keys): (authorization: string | undefined) => Holder {
  const writers = write.map(digest);
  const readers = read.map(digest);
  return (authorization = '') => {
    const given = /^Bearer +(\S+) *$/i.exec(authorization)?.[1];
    if (given === undefined) return 'none';
    const hashed = digest(given);
    const isWriter = isAmong(hashed, writers);
    const isReader = isAmong(hashed, readers);
    if (isWriter) return 'writer';
    return isReader ? 'reader' : 'wrong';
  };
}

function isAmong(hashed: Buffer, keys: readonly Buffer[]): boolean {
  return keys.map((key) => timingSafeEqual(hashed, key)).includes(true);
}

function digest(value: string): Buffer {
  return createHash('sha256').update(value).digest();
}
