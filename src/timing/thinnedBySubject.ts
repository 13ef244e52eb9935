import { LRUCache } from 'lru-cache';

const EVERY_MS = 60_000;
/** Lines per minute in all: a thousand addresses at once say no more than thirty of them. */
const MOST_LINES = 30;
const MOST_SUBJECTS = 10_000;

/**
 * Tells of what strangers can cause as often as they like: of each subject at once the first time, then at most once per
 * minute, with the number of times that it was held back; of all subjects at most 30 times per minute.
 *
 * @param now ms of a clock that never goes back.
 * @returns tells, or holds back. `tell` gets the number of times that this subject was held back since it was last told.
 */
export function thinnedBySubject(
  now: () => number = () => performance.now(),
): (subject: string, tell: (heldBack: number) => void) => void {
  const subjects = new LRUCache<string, { toldAt: number; heldBack: number }>({ max: MOST_SUBJECTS });
  let minute = { from: now(), lines: 0 };
  return (subject, tell) => {
    const at = now();
    if (at - minute.from >= EVERY_MS) minute = { from: at, lines: 0 };
    const told = subjects.get(subject) ?? { toldAt: -EVERY_MS, heldBack: 0 };
    if (at - told.toldAt < EVERY_MS || minute.lines >= MOST_LINES) {
      subjects.set(subject, { ...told, heldBack: told.heldBack + 1 });
      return;
    }
    minute.lines += 1;
    subjects.set(subject, { toldAt: at, heldBack: 0 });
    tell(told.heldBack);
  };
}
