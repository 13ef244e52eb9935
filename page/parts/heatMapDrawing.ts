import type { Measure } from '../core/address.js';
import { eventsWithin, lanesOf } from '../core/events.js';
import { type Colour, concern, shadeColours, shadeOf } from '../core/scale.js';
import { colour, theme } from '../data/theme.js';
import { axisLabel, axisTimes, drawMark, type EventMark, eventColour, FONT, LANE } from './drawing.js';

/** What a heat map draws. */
export interface HeatMapData {
  measure: Measure;
  /** Interval starts, ms. */
  times: readonly number[];
  rows: readonly { id: string; values: readonly (number | null)[] }[];
  events: readonly EventMark[];
}

/** Where a heat map has its parts, in CSS pixels. */
export interface Layout {
  width: number;
  height: number;
  /** The lanes of events above the cells. */
  top: number;
  rowHeight: number;
  /** The span of the axis, ms. */
  from: number;
  to: number;
}

const AXIS = 22;
/** As high as a line of text for a few feeders; forty of them fit on a screen. */
const rowHeightFor = (rows: number): number => (rows > 30 ? 17 : 20);
const MOST_LANES = 4;

export function layoutOf(
  width: number,
  rows: number,
  times: readonly number[],
  stepMs: number,
  events: readonly EventMark[],
): Layout {
  const from = times[0] ?? 0;
  const to = (times.at(-1) ?? 0) + stepMs;
  const lanes = Math.min(lanesOf(eventsWithin(events, from, to)).count, MOST_LANES);
  const [top, rowHeight] = [lanes * LANE, rowHeightFor(rows)];
  return { width, height: top + rows * rowHeight + AXIS, top, rowHeight, from, to };
}

/** The cell at a point, or null beside all. */
export function cellUnder(
  { width, top, rowHeight }: Layout,
  x: number,
  y: number,
  rows: number,
  columns: number,
): { row: number; column: number } | null {
  const [row, column] = [Math.floor((y - top) / rowHeight), Math.floor((x / width) * columns)];
  return row >= 0 && row < rows && column >= 0 && column < columns ? { row, column } : null;
}

/** Draws all of it anew. */
export function drawHeatMap(
  element: HTMLCanvasElement,
  layout: Layout,
  props: HeatMapData,
  cell: { row: number; column: number } | null,
): void {
  const begun = performance.now();
  const scale = devicePixelRatio;
  const { width, height } = layout;
  element.width = width * scale;
  element.height = height * scale;
  const canvas = element.getContext('2d');
  if (!canvas) return;
  canvas.scale(scale, scale);
  drawCells(canvas, layout, props);
  drawEvents(canvas, layout, props);
  drawAxis(canvas, layout);
  if (cell) {
    const step = width / props.times.length;
    canvas.strokeStyle = colour('ink');
    canvas.lineWidth = 1.5;
    canvas.strokeRect(
      cell.column * step,
      layout.top + cell.row * layout.rowHeight,
      Math.max(step, 3),
      layout.rowHeight,
    );
  }
  performance.measure('heat map drawn', { start: begun });
}

function drawCells(
  canvas: CanvasRenderingContext2D,
  layout: Layout,
  { rows, times, measure }: HeatMapData,
): void {
  const { top, rowHeight, width } = layout;
  canvas.fillStyle = colour('nothing');
  canvas.fillRect(0, top, width, rows.length * rowHeight);
  const pixels = pixelsOf(Math.round(width * devicePixelRatio), { rows, times, measure });
  if (!pixels) return;
  canvas.imageSmoothingEnabled = false;
  rows.forEach((_, row) => {
    const y = top + row * rowHeight;
    canvas.drawImage(pixels, 0, row, pixels.width, 1, 0, y, width, rowHeight - 1);
  });
}

const OPAQUE = 255;

/** The cells as a picture, one pixel high per row: as rectangles of their own, thirty thousand of them took 140 ms of a load. */
function pixelsOf(
  width: number,
  { rows, times, measure }: Pick<HeatMapData, 'rows' | 'times' | 'measure'>,
): HTMLCanvasElement | undefined {
  if (width === 0 || rows.length === 0) return undefined;
  const element = document.createElement('canvas');
  element.width = width;
  element.height = rows.length;
  const canvas = element.getContext('2d');
  if (!canvas) return undefined;
  const image = canvas.createImageData(width, rows.length);
  const colours = shadeColours(theme.get());
  const step = width / times.length;
  rows.forEach(({ values }, row) => {
    values.forEach((value, column) => {
      if (value === null) return;
      const pixel = [...(colours[shadeOf(concern(measure, value))] as Colour), OPAQUE];
      // To the next whole pixel, so that no seam is between two, and none is lost where there are more than pixels.
      const end = Math.min(Math.ceil((column + 1) * step), width);
      for (let x = Math.floor(column * step); x < end; x += 1) image.data.set(pixel, 4 * (row * width + x));
    });
  });
  canvas.putImageData(image, 0, 0);
  return element;
}

function drawEvents(canvas: CanvasRenderingContext2D, layout: Layout, { rows, events }: HeatMapData): void {
  const { from, to, width, top, rowHeight } = layout;
  const x = (at: number): number => ((Math.min(Math.max(at, from), to) - from) / (to - from)) * width;
  const shown = eventsWithin(events, from, to);
  const { lanes } = lanesOf(shown);
  shown.forEach((event, index) => {
    const [left, right] = [x(Date.parse(event.startAt)), x(Date.parse(event.endAt))];
    const lane = lanes[index] as number;
    if (lane < MOST_LANES)
      drawMark(canvas, event, { left, right, top: lane * LANE + 1, height: LANE - 4 }, 1);
    const row = rows.findIndex(({ id }) => id === event.feederId);
    if (row < 0) return;
    canvas.strokeStyle = eventColour(event.eventType);
    canvas.lineWidth = 2;
    canvas.strokeRect(left + 1, top + row * rowHeight, Math.max(right - left - 2, 3), rowHeight - 1);
  });
}

function drawAxis(canvas: CanvasRenderingContext2D, { from, to, width, height }: Layout): void {
  const { times, stepMs } = axisTimes(from, to, Math.floor(width / 80));
  canvas.fillStyle = colour('quiet');
  canvas.font = FONT;
  canvas.textBaseline = 'bottom';
  for (const at of times) {
    const x = ((at - from) / (to - from)) * width;
    canvas.textAlign = x < 20 ? 'left' : x > width - 24 ? 'right' : 'center';
    canvas.fillRect(x, height - AXIS, 1, 4);
    canvas.fillText(axisLabel(at, Date.now(), stepMs), x, height - 3);
  }
}
