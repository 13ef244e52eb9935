/**
 * The key: asked for once, kept in this tab's session storage, and sent in the Authorization header alone. It is in no
 * address, no cookie and no log.
 */
import { createStore } from './store.js';

const PLACE = 'gridlens-key';

/** A request that waits for the reader to enter a key. */
export interface KeyQuestion {
  /** What the key is needed for: a write, or a deployment whose reads are not open. */
  for: 'writing' | 'reading';
  /** What the API said of the key that was tried; null where none was. */
  refusal: string | null;
  answer(key: string | null): void;
}

export const keyQuestion = createStore<KeyQuestion | null>(null);
/** Whether this tab has a key; the key itself is shown nowhere. */
export const hasKey = createStore(storedKey() !== null);

export function storedKey(): string | null {
  return sessionStorage.getItem(PLACE);
}

export function keepKey(key: string): void {
  sessionStorage.setItem(PLACE, key);
  hasKey.set(true);
}

export function forgetKey(): void {
  sessionStorage.removeItem(PLACE);
  hasKey.set(false);
}

let asked: Promise<string | null> | undefined;

/** Asks for the key, once for all who need it meanwhile; null when the reader gives none. */
export function askForKey(reason: KeyQuestion['for'], refusal: string | null): Promise<string | null> {
  asked ??= new Promise<string | null>((resolve) => {
    const answer = (key: string | null): void => {
      if (key !== null) keepKey(key);
      keyQuestion.set(null);
      asked = undefined;
      resolve(key);
    };
    keyQuestion.set({ for: reason, refusal, answer });
  });
  return asked;
}
