import { useMemo } from 'preact/hooks';
import type { Address, Measure } from '../core/address.js';
import { duration } from '../core/format.js';
import { byNumber, firstShown, worstOf } from '../core/series.js';
import { spanOf } from '../core/spans.js';
import { get } from '../data/api.js';
import { go } from '../data/location.js';
import type { FeederMatrix } from '../data/types.js';
import { useVersioned } from '../data/useVersioned.js';
import { ChartPanel } from '../parts/ChartPanel.js';
import { HeatMap } from '../parts/HeatMap.js';
import { type Line, LineChart } from '../parts/LineChart.js';
import { MEASURE_LOOKS } from '../parts/MeasurePicker.js';
import { Empty, Panel } from '../parts/Panel.js';
import { Polling } from '../parts/Polling.js';
import type { ViewProps } from './ViewProps.js';

/** The matrix, with leading intervals without reads left out. */
interface Shown {
  times: number[];
  stepMs: number;
  rows: { id: string; values: (number | null)[] }[];
}

export function shownOf(matrix: FeederMatrix, measure: Measure): Shown {
  const all = matrix.feeders
    .map((feeder) => ({ id: feeder.feederId, values: feeder[measure] ?? [] }))
    .toSorted((a, b) => byNumber(a.id, b.id));
  const first = firstShown(
    all.map(({ values }) => values),
    matrix.times.length,
  );
  return {
    times: matrix.times.slice(first).map((at) => Date.parse(at)),
    stepMs: matrix.stepMinutes * 60_000,
    rows: all.map(({ id, values }) => ({ id, values: values.slice(first) })),
  };
}

/** One measure of all feeders over time, as lines and as a heat map. */
export function FeederCharts({ address, tenantId, state, events }: ViewProps) {
  const { measure } = address;
  const { from, to } = spanOf(address.span, Date.now());
  const matrix = useVersioned<FeederMatrix>(
    `feeders of ${tenantId} ${measure} ${from} ${to}`,
    state.version,
    (signal) =>
      get(
        '/kpi/feeders/intervals',
        { tenantId, from: new Date(from).toISOString(), to: new Date(to).toISOString(), measures: measure },
        signal,
      ),
  );
  return (
    <Polling polled={matrix} what="feeders over time" height={640}>
      {(data) =>
        data.feeders.length === 0 || data.times.length === 0 ? (
          <Panel title={MEASURE_LOOKS[measure].title}>
            <Empty>Nothing was read in this span. Choose another one, or start the automatic mode.</Empty>
          </Panel>
        ) : (
          <Both data={data} address={address} tenantId={tenantId} events={events} />
        )
      }
    </Polling>
  );
}

/** Colours for the worst feeders; told apart by every kind of colour blindness (Okabe and Ito). */
const COLOURS = ['line-1', 'line-2', 'line-3', 'line-4', 'line-5', 'line-6'];

function Both({
  data,
  address,
  tenantId,
  events,
}: { data: FeederMatrix; address: Address } & Pick<ViewProps, 'tenantId' | 'events'>) {
  const { measure } = address;
  const { name, title, unit, format, range, isWorse } = MEASURE_LOOKS[measure];
  const shown = useMemo(() => shownOf(data, measure), [data, measure]);
  const { times, stepMs, rows } = shown;
  const lines = useMemo(() => linesOf(rows, isWorse), [rows, isWorse]);
  const chart = useMemo(
    () => ({
      times,
      stepMs,
      columns: rows.map(({ id, values }) => ({
        title: `${id} (${unit})`,
        values,
        format: (value: number | string | null) => format(value as number | null),
      })),
    }),
    [times, stepMs, rows, unit, format],
  );
  const open = (id: string): void => go({ ...address, view: { name: 'feeder', id } });
  const by = `by ${duration(stepMs / 1_000)}`;
  const file = [measure, tenantId];
  return (
    <>
      <ChartPanel
        title={title}
        note={`${by}; the ${lines.filter((line) => !line.isBackground).length} worst in colour`}
        file={file}
        data={chart}
      >
        <LineChart
          label={`${name} of ${rows.length} feeders over time.`}
          times={times}
          stepMs={stepMs}
          lines={lines}
          format={format}
          events={events}
          range={range}
          onOpen={open}
        />
      </ChartPanel>
      <ChartPanel title={`${name} map`} note={`feeders by time, ${by}`} file={[...file, 'map']} data={chart}>
        <HeatMap
          label={`${name} of ${rows.length} feeders by interval.`}
          measure={measure}
          times={times}
          stepMs={stepMs}
          rows={rows}
          events={events}
          format={format}
          onOpen={open}
        />
      </ChartPanel>
    </>
  );
}

function linesOf(rows: Shown['rows'], isWorse: (a: number, b: number) => boolean): Line[] {
  const worst = worstOf(rows, ({ values }) => values, isWorse, COLOURS.length);
  return rows
    .map((row) => {
      const place = worst.indexOf(row);
      return { row, place: place < 0 ? Number.POSITIVE_INFINITY : place };
    })
    .toSorted((a, b) => a.place - b.place)
    .map(({ row: { id, values }, place }) => ({
      label: id,
      values,
      colour: COLOURS[place] ?? 'faint',
      isBackground: place >= COLOURS.length,
    }));
}
