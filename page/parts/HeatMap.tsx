import { useEffect, useRef, useState } from 'preact/hooks';
import type { Measure } from '../core/address.js';
import { eventsWithin } from '../core/events.js';
import { concernColour, LEGEND } from '../core/scale.js';
import { useStore } from '../data/store.js';
import { theme } from '../data/theme.js';
import { cellUnder, drawHeatMap, type HeatMapData, layoutOf } from './heatMapDrawing.js';
import { FeederLink } from './Link.js';
import { Interval } from './Time.js';

interface HeatMapProps extends HeatMapData {
  label: string;
  stepMs: number;
  format: (value: number | null) => string;
  onOpen: (id: string) => void;
}

interface CellAt {
  row: number;
  column: number;
}

const KEYS: Record<string, [number, number]> = {
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
};

/** Feeders by intervals: a cell each, coloured by how far it is out of what is usual; events above and as frames. */
export function HeatMap(props: HeatMapProps) {
  const { label, measure, times, stepMs, rows, events, format, onOpen } = props;
  const canvas = useRef<HTMLCanvasElement>(null);
  const looks = useStore(theme);
  const [width, setWidth] = useState(0);
  const [cell, setCell] = useState<CellAt | null>(null);
  const layout = layoutOf(width, rows.length, times, stepMs, events);

  useEffect(() => {
    const found = canvas.current?.parentElement;
    if (!found) return;
    const watch = new ResizeObserver(() => setWidth(found.clientWidth));
    watch.observe(found);
    return () => watch.disconnect();
  }, []);
  useEffect(() => {
    if (canvas.current && width > 0) drawHeatMap(canvas.current, layout, props, cell);
  }, [width, looks, measure, times, rows, events, cell]);

  const move = (event: KeyboardEvent): void => {
    const step = KEYS[event.key];
    if (event.key === 'Enter' && cell) onOpen(rows[cell.row]?.id ?? '');
    if (!step || rows.length === 0) return;
    event.preventDefault();
    const from = cell ?? { row: 0, column: times.length - 1 };
    const within = (value: number, length: number): number => Math.min(Math.max(value, 0), length - 1);
    setCell(
      cell === null
        ? from
        : {
            row: within(from.row + step[0], rows.length),
            column: within(from.column + step[1], times.length),
          },
    );
  };
  const under = (event: MouseEvent): CellAt | null =>
    cellUnder(layout, event.offsetX, event.offsetY, rows.length, times.length);

  return (
    <figure class="heat-map">
      <div class="heat-map-body">
        <ol class="heat-map-rows" style={{ paddingTop: `${layout.top}px` }}>
          {rows.map(({ id }) => (
            <li key={id} style={{ height: `${layout.rowHeight}px` }}>
              <FeederLink id={id} />
            </li>
          ))}
        </ol>
        <div
          class="heat-map-canvas"
          role="application"
          aria-label={`${label} Arrow keys move from cell to cell, Enter opens the feeder.`}
          // biome-ignore lint/a11y/noNoninteractiveTabindex: one moves through its cells by keyboard.
          tabIndex={0}
          onKeyDown={move}
          onBlur={() => setCell(null)}
        >
          <canvas
            ref={canvas}
            style={{ height: `${layout.height}px` }}
            onMouseMove={(event) => setCell(under(event))}
            onMouseLeave={() => setCell(null)}
            onClick={(event) => {
              const found = under(event);
              if (found) onOpen(rows[found.row]?.id ?? '');
            }}
          />
        </div>
      </div>
      <figcaption class="legend">
        <Scale measure={measure} />
        <span class="readout" aria-live="polite">
          {cell && <Readout {...props} cell={cell} format={format} />}
        </span>
      </figcaption>
    </figure>
  );
}

function Readout({ rows, times, stepMs, events, format, cell }: HeatMapProps & { cell: CellAt }) {
  const [row, start] = [rows[cell.row], times[cell.column]];
  if (!row || start === undefined) return null;
  const touching = eventsWithin(events, start, start + stepMs).filter(({ feederId }) => feederId === row.id);
  return (
    <>
      <b>{row.id}</b> <Interval start={start} end={start + stepMs} />{' '}
      <b>{format(row.values[cell.column] ?? null)}</b>
      {touching.map(({ id, eventType }) => (
        <span key={id} class={`tag ${eventType}`}>
          {eventType}
        </span>
      ))}
    </>
  );
}

const SHADES = [0, 0.15, 0.3, 0.45, 0.56, 0.7, 0.85, 1];

function Scale({ measure }: { measure: Measure }) {
  const looks = useStore(theme);
  const { best, edge, worst } = LEGEND[measure];
  return (
    <span class="scale">
      {best}
      {SHADES.map((shade) => (
        <i
          key={shade}
          class="shade"
          style={{ background: concernColour(shade, looks) }}
          title={shade === 0.56 ? `beyond ${edge}` : ''}
        />
      ))}
      {worst}, orange beyond {edge}
      <i class="shade nothing" /> nothing read
    </span>
  );
}
