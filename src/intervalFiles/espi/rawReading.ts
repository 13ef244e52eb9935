/** An IntervalReading as it stands in the file; texts, since a value may have more digits than a number holds. */
export interface RawReading {
  /** Seconds since 1970. */
  start: string;
  /** Seconds. */
  duration: string;
  value: string;
  /** QualityOfReading; several where a reading has several. */
  qualities: string[];
  line: number;
}
