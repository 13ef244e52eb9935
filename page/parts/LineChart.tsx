import { useEffect, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import { eventsWithin, lanesOf } from '../core/events.js';
import { indexAt } from '../core/series.js';
import { useStore } from '../data/store.js';
import { colour, theme } from '../data/theme.js';
import { axisLabel, drawMark, type EventMark, eventColour, FONT, LANE } from './drawing.js';
import { Interval } from './Time.js';

export interface Line {
  label: string;
  values: readonly (number | null)[];
  /** A colour of the style sheet, by name. */
  colour: string;
  /** One of many, drawn thin and left out of the legend. */
  isBackground?: boolean;
}

interface LineChartProps {
  /** What the chart shows, in a sentence for who cannot see it; the table says the rest. */
  label: string;
  times: readonly number[];
  stepMs: number;
  lines: readonly Line[];
  format: (value: number | null) => string;
  events?: readonly EventMark[];
  height?: number;
  /** The axis has at least this range. */
  range?: readonly [number, number];
  onOpen?: (label: string) => void;
}

const LEGEND_LIMIT = 8;

/** Lines over time, with events as bands behind them and bars above. */
export function LineChart(props: LineChartProps) {
  const { label, times, stepMs, lines, format, events = [], height = 220 } = props;
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | null>(null);
  const latest = useRef(props);
  latest.current = props;
  const looks = useStore(theme);
  const [at, setAt] = useState<number | null>(null);
  const structure = `${looks} ${height} ${lines.map((line) => `${line.label}/${line.colour}/${line.isBackground}`).join(' ')}`;
  useEffect(() => {
    const box = place.current;
    if (!box) return;
    const made = new uPlot(
      optionsFor(() => latest.current, box.clientWidth, setAt),
      dataOf(latest.current),
      box,
    );
    chart.current = made;
    // Its first call comes at once and says nothing new: forty lines need not be drawn again for it.
    const watch = new ResizeObserver(() => {
      if (box.clientWidth !== made.width) made.setSize({ width: box.clientWidth, height });
    });
    watch.observe(box);
    return () => {
      watch.disconnect();
      made.destroy();
      chart.current = null;
    };
  }, [structure]);
  useEffect(() => {
    chart.current?.setData(dataOf(latest.current));
  }, [times, lines, events]);

  // At rest the latest interval that was read.
  const last = times.findLastIndex((_, index) => lines.some(({ values }) => values[index] != null));
  const index = at ?? last;
  const shown = lines.filter(({ isBackground }) => !isBackground).slice(0, LEGEND_LIMIT);
  const time = times[index];
  return (
    <figure class="chart">
      <div ref={place} role="img" aria-label={label} style={{ minHeight: `${height}px` }} />
      <figcaption class="legend">
        {time !== undefined && (
          <span class="legend-time">
            <Interval start={time} end={time + stepMs} />
          </span>
        )}
        {shown.map((line) => (
          <span key={line.label} class="legend-entry">
            <i class={`swatch ${line.colour}`} aria-hidden="true" />
            {line.label} <b>{format(line.values[index] ?? null)}</b>
          </span>
        ))}
      </figcaption>
    </figure>
  );
}

/**
 * Each value holds for its whole interval, so it is drawn from start to end. Two points each, and not a stepped line: that
 * would end at the start of the last interval before a gap.
 */
const dataOf = ({ times, stepMs, lines }: LineChartProps): uPlot.AlignedData =>
  [
    times.flatMap((at) => [at, at + stepMs - 1]),
    ...lines.map(({ values }) => values.flatMap((value) => [value, value])),
  ] as unknown as uPlot.AlignedData;

function optionsFor(
  props: () => LineChartProps,
  width: number,
  onCursor: (index: number | null) => void,
): uPlot.Options {
  const { lines, height = 220, format } = props();
  const grid = { stroke: colour('line'), width: 1 };
  const marks = (): EventMark[] => [...(props().events ?? [])];
  const laneCount = (): number => lanesOf(marks()).count;
  return {
    width,
    height,
    ms: 1,
    padding: [8, 24, 0, 0],
    legend: { show: false },
    cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
    scales: {
      x: { time: true },
      y: { range: (_, low, high) => rangeOf(props().range, low, high) },
    },
    axes: [
      {
        stroke: colour('quiet'),
        grid,
        ticks: grid,
        font: FONT,
        space: 70,
        size: 30,
        values: (_, splits, __, ___, step) => splits.map((one) => axisLabel(one, Date.now(), step)),
      },
      {
        stroke: colour('quiet'),
        grid,
        ticks: { show: false },
        font: FONT,
        size: 62,
        values: (_, splits) => splits.map((one) => short(format(one))),
      },
    ],
    series: [
      {},
      ...lines.map(({ label, colour: name, isBackground }) => ({
        label,
        stroke: colour(name),
        width: isBackground ? 1 : 2,
        points: { show: false },
      })),
    ],
    hooks: {
      setCursor: [
        (u) => {
          const { left = -1 } = u.cursor;
          const { times } = props();
          const index = left < 0 ? -1 : indexAt(times, u.posToVal(left, 'x'));
          onCursor(index < 0 ? null : index);
        },
      ],
      drawClear: [(u) => drawBands(u, marks())],
      draw: [(u) => drawLanes(u, marks(), laneCount())],
      ready: [
        (u) =>
          u.over.addEventListener('click', () => {
            const nearest = nearestLine(u, props());
            if (nearest !== undefined) props().onOpen?.(nearest);
          }),
      ],
    },
  };
}

/** `12.30 %` as `12.3 %`: an axis has round numbers. */
const short = (text: string): string => text.replace(/(\.\d*?)0+(?=\s|$)/, '$1').replace(/\.(?=\s|$)/, '');

function rangeOf(
  least: readonly [number, number] | undefined,
  low: number | null,
  high: number | null,
): [number, number] {
  if (low === null || high === null) return least ? [...least] : [0, 1];
  const [from, to] = least ?? [low, high];
  const [bottom, top] = [Math.min(from, low), Math.max(to, high)];
  const room = (top - bottom || 1) * 0.06;
  return [bottom === 0 ? 0 : bottom - room, top + room];
}

/** An event covers whole intervals: from the start of the first it touches, drawn as it was posted. */
function placeOf(u: uPlot, { startAt, endAt }: EventMark): { left: number; right: number } {
  const { left, width } = u.bbox;
  const [from, to] = [Date.parse(startAt), Date.parse(endAt)].map((at) => u.valToPos(at, 'x', true)) as [
    number,
    number,
  ];
  return { left: Math.max(from, left), right: Math.min(to, left + width) };
}

const visible = (u: uPlot, events: EventMark[]): EventMark[] =>
  eventsWithin(events, u.scales.x?.min ?? 0, u.scales.x?.max ?? 0);

function drawBands(u: uPlot, events: EventMark[]): void {
  const { ctx, bbox } = u;
  ctx.save();
  ctx.globalAlpha = 0.1;
  for (const event of visible(u, events)) {
    const { left, right } = placeOf(u, event);
    ctx.fillStyle = eventColour(event.eventType);
    ctx.fillRect(left, bbox.top, Math.max(right - left, 2), bbox.height);
  }
  ctx.restore();
}

function drawLanes(u: uPlot, events: EventMark[], count: number): void {
  const { ctx, bbox } = u;
  const scale = devicePixelRatio;
  const { lanes } = lanesOf(events);
  // More lanes than these would cover the lines.
  const most = Math.min(count, 4);
  ctx.save();
  events.forEach((event, index) => {
    const lane = lanes[index] as number;
    if (lane >= most || !visible(u, [event])[0]) return;
    const { left, right } = placeOf(u, event);
    drawMark(
      ctx,
      event,
      { left, right, top: bbox.top + lane * LANE * scale, height: (LANE - 4) * scale },
      scale,
    );
  });
  ctx.restore();
}

function nearestLine(u: uPlot, { lines, times }: LineChartProps): string | undefined {
  const { left = -1, top = -1 } = u.cursor;
  const index = indexAt(times, u.posToVal(left, 'x'));
  const distances = lines
    .map(({ label, values }) => ({ label, value: values[index] ?? null }))
    .filter((one): one is { label: string; value: number } => one.value !== null)
    .map(({ label, value }) => ({ label, distance: Math.abs(u.valToPos(value, 'y') - top) }))
    .sort((a, b) => a.distance - b.distance);
  return distances[0]?.label;
}
