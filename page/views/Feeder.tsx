import { useMemo } from 'preact/hooks';
import { count, kwh, percent, volts } from '../core/format.js';
import { firstShown } from '../core/series.js';
import type { FeederSeries, LatestFeeder } from '../data/types.js';
import { useFeederSeries } from '../data/useFeederSeries.js';
import { ChartPanel } from '../parts/ChartPanel.js';
import { EventList } from '../parts/EventList.js';
import { FedIn, Figure, reportingNote } from '../parts/Figures.js';
import { type Line, LineChart } from '../parts/LineChart.js';
import { Empty, Panel } from '../parts/Panel.js';
import { Polling } from '../parts/Polling.js';
import { SpanPicker } from '../parts/SpanPicker.js';
import { FeederMeters } from './FeederMeters.js';
import type { ViewProps } from './ViewProps.js';

/** One feeder: its energy, loss, completeness and voltage over time, its meters and its events. */
export function Feeder(props: ViewProps & { feederId: string }) {
  const { address, tenantId, state, events, feederId } = props;
  const series = useFeederSeries(tenantId, feederId, address.span, state.version);
  const own = useMemo(() => events.filter((event) => event.feederId === feederId), [events, feederId]);
  const latest = state.quickcheck.data?.latestFeeders.find((feeder) => feeder.feederId === feederId);
  return (
    <>
      <div class="title-row">
        <h1 tabIndex={-1}>{feederId}</h1>
        <SpanPicker span={address.span} />
      </div>
      {latest && <Now latest={latest} />}
      <Polling polled={series} what={`the figures of ${feederId}`} height={520}>
        {(data) =>
          data.times.length === 0 || data.kwh.every((value) => value === null) ? (
            <Panel title="Over time">
              <Empty>Nothing was read on this feeder in this span.</Empty>
            </Panel>
          ) : (
            <Charts data={data} tenantId={tenantId} events={own} />
          )
        }
      </Polling>
      <Panel title="Events on this feeder" note="Injected; the figures above know nothing of them">
        <EventList events={own} refresh={props.refreshEvents} />
      </Panel>
      <FeederMeters tenantId={tenantId} feederId={feederId} version={state.version} />
    </>
  );
}

function Now({ latest }: { latest: LatestFeeder }) {
  return (
    <dl class="figures panel">
      <Figure name="Reporting" value={count(latest.reportingMeters)} note={reportingNote(latest)} />
      <Figure
        name="Loss"
        value={percent(latest.lossPct)}
        isBad={latest.lossPct !== null && latest.lossPct > 15}
      />
      <Figure
        name="Lowest voltage"
        value={volts(latest.minVoltage)}
        isBad={latest.minVoltage !== null && latest.minVoltage < 114}
      />
      <Figure name="Low voltage" value={count(latest.lowVoltageMeters)} note="meters" />
      <FedIn receivedKwh={latest.receivedKwh} />
    </dl>
  );
}

type Values = (number | null)[];

/** The charts of a feeder: a title, its lines, how they are written, and the least range of the axis. */
const CHARTS: {
  title: string;
  lines: { label: string; of: (series: FeederSeries) => Values; colour: string; unit: string }[];
  format: (value: number | null) => string;
  range?: [number, number];
  /** Left out: always. */
  isShown?: (series: FeederSeries) => boolean;
}[] = [
  {
    title: 'Registered against delivered energy',
    lines: [
      { label: 'Delivered', of: (series) => series.deliveredKwh, colour: 'line-4', unit: 'kWh' },
      { label: 'Registered', of: (series) => series.kwh, colour: 'line-1', unit: 'kWh' },
    ],
    format: kwh,
    range: [0, 0],
  },
  {
    title: 'Fed in by customers',
    lines: [{ label: 'Fed in', of: (series) => series.receivedKwh, colour: 'line-3', unit: 'kWh' }],
    format: kwh,
    range: [0, 0],
    isShown: (series) => series.receivedKwh.some((value) => value !== null),
  },
  {
    title: 'Loss',
    lines: [{ label: 'Loss', of: (series) => series.lossPct, colour: 'line-2', unit: '%' }],
    format: percent,
    range: [0, 8],
  },
  {
    title: 'Completeness',
    lines: [{ label: 'Reporting', of: (series) => series.completenessPct, colour: 'line-3', unit: '%' }],
    format: percent,
    range: [90, 100],
  },
  {
    title: 'Estimated reads',
    lines: [{ label: 'Estimated', of: (series) => series.estimatedPct, colour: 'line-6', unit: '%' }],
    format: percent,
    range: [0, 10],
    isShown: (series) => series.estimatedPct.some((value) => value !== null && value > 0),
  },
  {
    title: 'Lowest voltage',
    lines: [{ label: 'Lowest', of: (series) => series.minVoltage, colour: 'line-5', unit: 'V' }],
    format: volts,
    range: [112, 124],
  },
];

function Charts({ data, tenantId, events }: { data: FeederSeries } & Pick<ViewProps, 'tenantId' | 'events'>) {
  const shown = useMemo(() => {
    const first = firstShown([data.kwh], data.times.length);
    return {
      times: data.times.slice(first).map((at) => Date.parse(at)),
      charts: CHARTS.filter(({ isShown }) => isShown?.(data) ?? true).map((chart) => ({
        ...chart,
        drawn: chart.lines.map((line): Line => ({ ...line, values: line.of(data).slice(first) })),
      })),
    };
  }, [data]);
  const stepMs = data.stepMinutes * 60_000;
  return (
    <div class="columns charts">
      {shown.charts.map(({ title, lines, drawn, format, range }) => (
        <ChartPanel
          key={title}
          title={title}
          file={[title, data.feederId, tenantId]}
          data={{
            times: shown.times,
            stepMs,
            columns: drawn.map(({ label, values }, at) => ({
              title: `${label} (${lines[at]?.unit})`,
              values,
              format: (value) => format(value as number | null),
            })),
          }}
        >
          <LineChart
            label={`${title} of ${data.feederId} over time.`}
            times={shown.times}
            stepMs={stepMs}
            lines={drawn}
            format={format}
            events={events}
            height={180}
            {...(range ? { range } : {})}
          />
        </ChartPanel>
      ))}
    </div>
  );
}
