/** The process's wall clock, moved: `Date` alone, so that timers and what is measured stay real. */
export interface VirtualClock {
  /** Moves on to `at`, from where it goes on at normal pace. */
  jumpTo(at: Date): void;
  restore(): void;
}

/** Has `new Date()` and `Date.now()` of everything in this process, BullMQ too, start from `at`. */
export function startVirtualClock(at: Date): VirtualClock {
  const RealDate = globalThis.Date;
  let offset = at.getTime() - RealDate.now();
  const now = (): number => RealDate.now() + offset;
  class VirtualDate extends RealDate {
    constructor(...parts: unknown[]) {
      // The constructor's overloads cannot be spread into.
      super(...((parts.length === 0 ? [now()] : parts) as [number]));
    }
    static override now = now;
    /** Dates that were made before are dates, too. */
    static override [Symbol.hasInstance](value: unknown): boolean {
      return Object.prototype.toString.call(value) === '[object Date]';
    }
  }
  globalThis.Date = VirtualDate as DateConstructor;
  return {
    jumpTo(to) {
      offset = to.getTime() - RealDate.now();
    },
    restore() {
      globalThis.Date = RealDate;
    },
  };
}
