import { LRUCache } from 'lru-cache';

const EVERY_MS = 60_000;
const MOST_SUBJECTS = 10_000;

interface Thinning {
  /** Lines per minute in all: beyond them every subject is held back. */
  mostLines: number;
  /** ms of a clock that never goes back. */
  now?: () => number;
}

/**
 * Tells of what comes as often as it likes, caused by strangers or by a server that is away: of each subject at once the
 * first time, then at most once per minute, and of all subjects at most `mostLines` times per minute.
 *
 * @returns tells, or holds back. `tell` gets the number of times that this subject was held back since it was last told.
 */
export function thinnedBySubject({
  mostLines,
  now = () => performance.now(),
}: Thinning): (subject: string, tell: (heldBack: number) => void) => void {
  const subjects = new LRUCache<string, { toldAt: number; heldBack: number }>({ max: MOST_SUBJECTS });
  let minute = { from: now(), lines: 0 };
  return (subject, tell) => {
    const at = now();
    if (at - minute.from >= EVERY_MS) minute = { from: at, lines: 0 };
    const told = subjects.get(subject) ?? { toldAt: -EVERY_MS, heldBack: 0 };
    if (at - told.toldAt < EVERY_MS || minute.lines >= mostLines) {
      subjects.set(subject, { ...told, heldBack: told.heldBack + 1 });
      return;
    }
    minute.lines += 1;
    subjects.set(subject, { toldAt: at, heldBack: 0 });
    tell(told.heldBack);
  };
}
