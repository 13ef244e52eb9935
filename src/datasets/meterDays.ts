/**
 * Counts the meters of each day, of reads that come day after day, and forgets the days that are over: a year of 25,000 meters has nine
 * million.
 */
export class MeterDays {
  #closed = 0;
  readonly #open = new Map<string, Set<string>>();

  /** @param day `2026-01-31`; none before the latest `closeBefore`. */
  add(day: string, meterId: string): void {
    const meters = this.#open.get(day);
    if (meters) meters.add(meterId);
    else this.#open.set(day, new Set([meterId]));
  }

  /** Says that no day before this one comes any more. */
  closeBefore(day: string): void {
    for (const [open, meters] of this.#open)
      if (open < day) {
        this.#closed += meters.size;
        this.#open.delete(open);
      }
  }

  get count(): number {
    return [...this.#open.values()].reduce((sum, meters) => sum + meters.size, this.#closed);
  }
}
