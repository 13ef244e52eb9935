/** A pause before each further try, twice as long as the one before it. */
export interface DoublingPause {
  /** The pause after the first failure, ms. */
  first: number;
  /** No pause is longer, ms. */
  longest: number;
}

/** How long to wait before the next try, in ms, when `pauses` tries have been waited for already: 0 answers `first`. */
export function doublingPause({ first, longest }: DoublingPause, pauses: number): number {
  return Math.min(first * 2 ** Math.max(0, pauses), longest);
}
