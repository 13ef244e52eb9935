import { dateTime } from '../core/format.js';
import { LASTING, LASTING_WORDS, type Lasting, type SpanChoice, spanOf, stepped } from '../core/spans.js';
import { change } from '../data/location.js';

interface SpanPickerProps {
  span: SpanChoice;
  offered?: readonly Lasting[];
}

/** The span that charts show: the last hours or days, and a step back or forth. */
export function SpanPicker({ span, offered = Object.keys(LASTING) as Lasting[] }: SpanPickerProps) {
  const now = Date.now();
  const last = 'last' in span ? span.last : null;
  const { from, to } = spanOf(span, now);
  return (
    <fieldset class="span-picker">
      <legend class="visually-hidden">Time span</legend>
      <button type="button" aria-label="Earlier" onClick={() => change({ span: stepped(span, -1, now) })}>
        ‹
      </button>
      {offered.map((name) => (
        <button
          key={name}
          type="button"
          aria-pressed={name === last}
          title={`The last ${LASTING_WORDS[name]}`}
          onClick={() => change({ span: { last: name } })}
        >
          {name}
        </button>
      ))}
      <button
        type="button"
        aria-label="Later"
        disabled={last !== null}
        onClick={() => change({ span: stepped(span, 1, now) })}
      >
        ›
      </button>
      {last === null && (
        <span class="quiet">
          {dateTime(from, now)} – {dateTime(to, now)}
        </span>
      )}
    </fieldset>
  );
}
