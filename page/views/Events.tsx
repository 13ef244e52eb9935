import { useState } from 'preact/hooks';
import { firstShown } from '../core/series.js';
import { useFeederSeries } from '../data/useFeederSeries.js';
import { ChartPanel } from '../parts/ChartPanel.js';
import { EventForm } from '../parts/EventForm.js';
import { EventList } from '../parts/EventList.js';
import { LineChart } from '../parts/LineChart.js';
import { MEASURE_LOOKS, MeasurePicker } from '../parts/MeasurePicker.js';
import { Empty, Loading, Panel } from '../parts/Panel.js';
import { Polling } from '../parts/Polling.js';
import type { ViewProps } from './ViewProps.js';

/** What is injected into the reads, and what was: posted, ended early, and seen to show. */
export function Events({ address, tenantId, state, events, refreshEvents }: ViewProps) {
  const { data } = state.quickcheck;
  const feeders = data?.latestFeeders ?? [];
  const [chosen, setChosen] = useState<string | null>(null);
  const feederId = chosen ?? feeders[Math.min(6, feeders.length - 1)]?.feederId ?? '';
  const changed = (): void => {
    refreshEvents();
    state.quickcheck.refresh();
  };
  const active = events.filter((event) => event.state !== 'ended');
  const past = events.filter((event) => event.state === 'ended');
  return (
    <>
      <div class="title-row">
        <h1 tabIndex={-1}>Events</h1>
        <MeasurePicker measure={address.measure} />
      </div>
      <div class="columns">
        <Panel title="Inject an event" note="into the reads of one feeder">
          {data === null ? (
            <Loading what="feeders" height={220} />
          ) : feeders.length === 0 ? (
            <Empty>There is no feeder yet: publish an interval first.</Empty>
          ) : (
            <EventForm
              tenantId={tenantId}
              feeders={feeders}
              feederId={feederId}
              onFeeder={setChosen}
              latestStart={data.latest?.intervalStart ?? null}
              changed={changed}
            />
          )}
        </Panel>
        {feederId !== '' && <Watched {...{ address, tenantId, state, events, refreshEvents, feederId }} />}
      </div>
      <Panel title="Active and scheduled">
        <EventList events={active} refresh={changed} />
      </Panel>
      <Panel title="Past">
        <EventList events={past} refresh={changed} />
      </Panel>
    </>
  );
}

/** The chosen feeder beside the form: an event is seen to show while one looks. */
function Watched({ address, tenantId, state, events, feederId }: ViewProps & { feederId: string }) {
  const { measure } = address;
  const { name, unit, format, range } = MEASURE_LOOKS[measure];
  // So short a span is answered by interval.
  const series = useFeederSeries(tenantId, feederId, { last: '6h' }, state.version);
  const title = `${name} of ${feederId}`;
  return (
    <Polling polled={series} what={`the figures of ${feederId}`} height={300}>
      {(data) => {
        const first = firstShown([data[measure]], data.times.length);
        const times = data.times.slice(first).map((at) => Date.parse(at));
        const values = data[measure].slice(first);
        const stepMs = data.stepMinutes * 60_000;
        const column = {
          title: `${name} (${unit})`,
          values,
          format: (value: number | string | null) => format(value as number | null),
        };
        return (
          <ChartPanel
            title={title}
            note="the last 6 hours, as it changes"
            file={[measure, feederId, tenantId]}
            data={{ times, stepMs, columns: [column] }}
          >
            <LineChart
              label={`${title} over the last 6 hours.`}
              times={times}
              stepMs={stepMs}
              lines={[{ label: name, values, colour: 'line-1' }]}
              format={format}
              events={events.filter((event) => event.feederId === feederId)}
              range={range}
            />
          </ChartPanel>
        );
      }}
    </Polling>
  );
}
