import { useMemo } from 'preact/hooks';
import { severityWords } from '../core/events.js';
import { kwh, percent, plural, volts } from '../core/format.js';
import { firstShown } from '../core/series.js';
import { spanOf } from '../core/spans.js';
import { get } from '../data/api.js';
import type { MeterSeries } from '../data/types.js';
import { useVersioned } from '../data/useVersioned.js';
import { ChartPanel } from '../parts/ChartPanel.js';
import { DataTable } from '../parts/DataTable.js';
import { EventTag } from '../parts/EventList.js';
import { LineChart } from '../parts/LineChart.js';
import { FeederLink } from '../parts/Link.js';
import { Empty, Panel } from '../parts/Panel.js';
import { Polling } from '../parts/Polling.js';
import { SpanPicker } from '../parts/SpanPicker.js';
import { Instant, Interval } from '../parts/Time.js';
import type { ViewProps } from './ViewProps.js';

/** One meter: what it registered, what was delivered to it, its voltage and flags; and apart from that, what was injected. */
export function Meter({ address, tenantId, state, meterId }: ViewProps & { meterId: string }) {
  const { from, to } = spanOf(address.span, Date.now());
  const series = useVersioned<MeterSeries>(
    `meter ${meterId} of ${tenantId} ${from} ${to}`,
    state.version,
    (signal) =>
      get(
        `/kpi/meters/${encodeURIComponent(meterId)}/intervals`,
        { tenantId, from: new Date(from).toISOString(), to: new Date(to).toISOString() },
        signal,
      ),
  );
  return (
    <>
      <div class="title-row">
        <h1 tabIndex={-1}>{meterId}</h1>
        {series.data?.feederId && (
          <p>
            on <FeederLink id={series.data.feederId} />
          </p>
        )}
        <SpanPicker span={address.span} offered={['24h', '7d', '30d']} />
      </div>
      <Polling polled={series} what={`the intervals of ${meterId}`} height={480}>
        {(data) => (
          <>
            {data.kwh.every((value) => value === null) ? (
              <Panel title="Measured">
                <Empty>This meter has reported nothing in this span.</Empty>
              </Panel>
            ) : (
              <Measured data={data} tenantId={tenantId} />
            )}
            <Injected data={data} />
          </>
        )}
      </Polling>
    </>
  );
}

function Measured({ data, tenantId }: { data: MeterSeries; tenantId: string }) {
  const shown = useMemo(() => {
    const first = firstShown([data.kwh], data.times.length);
    const times = data.times.slice(first).map((at) => Date.parse(at));
    return {
      times,
      stepMs: data.stepMinutes * 60_000,
      delivered: data.deliveredKwh.slice(first),
      registered: data.kwh.slice(first),
      voltage: data.voltage.slice(first),
      flags: data.flags.slice(first).map((flags) => flags?.join(' ') || null),
    };
  }, [data]);
  const { times, stepMs } = shown;
  const energy = [
    { label: 'Delivered', values: shown.delivered, colour: 'line-4' },
    { label: 'Registered', values: shown.registered, colour: 'line-1' },
  ];
  const voltage = [{ label: 'Voltage', values: shown.voltage, colour: 'line-5' }];
  const flags = {
    title: 'Flags',
    values: shown.flags,
    format: (value: number | string | null) => String(value ?? ''),
  };
  return (
    <>
      <div class="columns charts">
        <ChartPanel
          title="Energy"
          note="kWh per interval"
          file={['energy', data.meterId, tenantId]}
          data={{
            times,
            stepMs,
            columns: [
              ...energy.map(({ label, values }) => ({
                title: `${label} (kWh)`,
                values,
                format: (value: number | string | null) => kwh(value as number | null),
              })),
              flags,
            ],
          }}
        >
          <LineChart
            label={`Energy of ${data.meterId} over time.`}
            times={times}
            stepMs={stepMs}
            lines={energy}
            format={kwh}
            range={[0, 0]}
          />
        </ChartPanel>
        <ChartPanel
          title="Voltage"
          note="low below 114 V"
          file={['voltage', data.meterId, tenantId]}
          data={{
            times,
            stepMs,
            columns: [
              {
                title: 'Voltage (V)',
                values: shown.voltage,
                format: (value) => volts(value as number | null),
              },
              flags,
            ],
          }}
        >
          <LineChart
            label={`Voltage of ${data.meterId} over time.`}
            times={times}
            stepMs={stepMs}
            lines={voltage}
            format={volts}
            range={[112, 124]}
          />
        </ChartPanel>
      </div>
      <Flags times={times} stepMs={stepMs} flags={shown.flags} />
    </>
  );
}

function Flags({ times, stepMs, flags }: { times: number[]; stepMs: number; flags: (string | null)[] }) {
  const flagged = times.map((at, index) => ({ at, flags: flags[index] })).filter((one) => one.flags);
  return (
    <Panel title="Flags" note={`measured; ${plural(flagged.length, 'interval')} of ${times.length} with any`}>
      {flagged.length === 0 ? (
        <Empty>No interval of this span carries a flag.</Empty>
      ) : (
        <DataTable
          caption="Flagged intervals"
          rows={flagged.toReversed()}
          keyOf={({ at }) => String(at)}
          columns={[
            { title: 'Interval', cell: ({ at }) => <Interval start={at} end={at + stepMs} /> },
            { title: 'Flags', cell: (row) => row.flags },
          ]}
        />
      )}
    </Panel>
  );
}

function meantWords(meterFraction: number | null): string {
  return meterFraction === null
    ? 'this meter'
    : `${percent(meterFraction * 100)} of its feeder, perhaps this meter`;
}

function Injected({ data }: { data: MeterSeries }) {
  return (
    <Panel
      title="Injected"
      class="injected"
      note="what was posted for this meter: truth, of which no figure above knows"
    >
      {data.events.length === 0 ? (
        <Empty>No event of this span was meant for this meter.</Empty>
      ) : (
        <DataTable
          caption="Injected events"
          rows={data.events}
          keyOf={({ id }) => id}
          columns={[
            { title: 'Event', cell: ({ eventType }) => <EventTag type={eventType} /> },
            { title: 'Severity', cell: ({ eventType, severity }) => severityWords(eventType, severity) },
            { title: 'Meant', cell: ({ meterFraction }) => meantWords(meterFraction) },
            { title: 'From', cell: ({ startAt }) => <Instant at={startAt} /> },
            { title: 'To', cell: ({ endAt }) => <Instant at={endAt} /> },
          ]}
        />
      )}
    </Panel>
  );
}
