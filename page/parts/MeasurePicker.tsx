import { MEASURES, type Measure } from '../core/address.js';
import { percent, volts } from '../core/format.js';
import { change } from '../data/location.js';

type Format = (value: number | null) => string;

/** What charts of feeders can show, with its words and its form. */
export const MEASURE_LOOKS: Record<
  Measure,
  {
    name: string;
    title: string;
    unit: string;
    format: Format;
    range: [number, number];
    isWorse: (a: number, b: number) => boolean;
  }
> = {
  lossPct: {
    name: 'Loss',
    title: 'Loss by feeder',
    unit: '%',
    format: percent,
    range: [0, 8],
    isWorse: (a, b) => a > b,
  },
  completenessPct: {
    name: 'Reporting',
    title: 'Meters reporting by feeder',
    unit: '%',
    format: percent,
    range: [90, 100],
    isWorse: (a, b) => a < b,
  },
  minVoltage: {
    name: 'Lowest voltage',
    title: 'Lowest voltage by feeder',
    unit: 'V',
    format: volts,
    range: [112, 124],
    isWorse: (a, b) => a < b,
  },
};

export function MeasurePicker({ measure }: { measure: Measure }) {
  return (
    <fieldset class="segmented">
      <legend class="visually-hidden">Measure</legend>
      {MEASURES.map((one) => (
        <button
          key={one}
          type="button"
          aria-pressed={one === measure}
          onClick={() => change({ measure: one })}
        >
          {MEASURE_LOOKS[one].name}
        </button>
      ))}
    </fieldset>
  );
}
