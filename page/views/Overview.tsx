import { get } from '../data/api.js';
import type { AutoStatus, Backfill, Quickcheck } from '../data/types.js';
import { useVersioned } from '../data/useVersioned.js';
import { BackfillBar } from '../parts/BackfillBar.js';
import { DataTable } from '../parts/DataTable.js';
import { Figure, IntervalCard } from '../parts/Figures.js';
import { FeederLink, Link, MeterLink } from '../parts/Link.js';
import { MeasurePicker } from '../parts/MeasurePicker.js';
import { Empty, Panel } from '../parts/Panel.js';
import { Polling } from '../parts/Polling.js';
import { SpanPicker } from '../parts/SpanPicker.js';
import { Instant } from '../parts/Time.js';
import { FeederCharts } from './FeederCharts.js';
import type { ViewProps } from './ViewProps.js';

/** All feeders of a tenant: how it stands now, how it came to that, and what to do about it. */
export function Overview(props: ViewProps) {
  const { address, tenantId, state } = props;
  return (
    <>
      <div class="title-row">
        <h1 tabIndex={-1}>Overview</h1>
        <MeasurePicker measure={address.measure} />
        <SpanPicker span={address.span} />
      </div>
      <Polling polled={state.quickcheck} what="key figures" height={150}>
        {(data) => <Now data={data} tenantId={tenantId} version={state.version} />}
      </Polling>
      <FeederCharts {...props} />
      <Polling polled={state.quickcheck} what="suspicious meters and field operations" height={200}>
        {(data) => (
          <div class="columns">
            <Suspicious data={data} />
            <FieldOperations data={data} />
          </div>
        )}
      </Polling>
    </>
  );
}

function Now({ data, tenantId, version }: { data: Quickcheck; tenantId: string; version: string }) {
  const { latest, latestComplete } = data;
  const backfills = useVersioned<{ backfills: Backfill[] }>(`backfills of ${tenantId}`, version, (signal) =>
    get('/backfills', { tenantId }, signal),
  );
  const filling =
    backfills.data?.backfills.filter(({ state }) => state === 'running' || state === 'queued') ?? [];
  return (
    <>
      {data.warnings?.map((warning) => (
        <p key={warning} class="banner warn">
          {warning}
        </p>
      ))}
      {filling.map((one) => (
        <BackfillBar key={one.backfillId} backfill={one} />
      ))}
      <div class="columns">
        {latestComplete ? (
          <IntervalCard title="Latest complete interval" summary={latestComplete} />
        ) : (
          <Panel title="Latest complete interval">
            <Empty>None yet: the first one is still being written, or nothing has been published.</Empty>
          </Panel>
        )}
        {latest && !latest.complete ? (
          <IntervalCard title="Being written" summary={latest} />
        ) : (
          <Next tenantId={tenantId} data={data} version={version} />
        )}
      </div>
    </>
  );
}

/** What comes next while nothing is being written, and the meters that are silent. */
function Next({ tenantId, data, version }: { tenantId: string; data: Quickcheck; version: string }) {
  const auto = useVersioned<AutoStatus>(`automatic mode of ${tenantId}`, version, (signal) =>
    get('/auto/status', { tenantId }, signal),
  );
  const stale = data.staleMetersBuckets;
  return (
    <section class="panel card" aria-label="Next interval">
      <header class="panel-head">
        <h2>Next interval</h2>
        <p class="when">
          {auto.data?.nextRunAt ? (
            <>
              <Instant at={auto.data.nextRunAt} as="time" /> (
              <Instant at={auto.data.nextRunAt} as="relative" />)
            </>
          ) : (
            <Link to={{ name: 'automatic' }}>Automatic mode is off</Link>
          )}
        </p>
      </header>
      <dl class="figures">
        <Figure name="Active events" value={String(data.activeEvents.length)} />
        <Figure
          name="Silent meters"
          value={stale ? String(stale.staleOver15m + stale.staleOver1h + stale.staleOver24h) : '…'}
          note={
            stale && stale.staleOver1h + stale.staleOver24h > 0
              ? ` ${stale.staleOver1h + stale.staleOver24h} for over 1 h`
              : ''
          }
          isBad={stale !== null && stale.staleOver15m + stale.staleOver1h + stale.staleOver24h > 0}
        />
      </dl>
    </section>
  );
}

function Suspicious({ data }: { data: Quickcheck }) {
  return (
    <Panel title="Suspicious meters" note="Found from the reads alone, the most missing energy first">
      {data.suspiciousMeters.length === 0 ? (
        <Empty>None: every meter registers what was delivered to it.</Empty>
      ) : (
        <DataTable
          caption="Suspicious meters"
          rows={data.suspiciousMeters}
          keyOf={({ meterId, day }) => `${day} ${meterId}`}
          columns={[
            { title: 'Meter', cell: ({ meterId }) => meterId && <MeterLink id={meterId} /> },
            { title: 'Feeder', cell: ({ feederId }) => feederId && <FeederLink id={feederId} /> },
            { title: 'Reason', class: 'reason', cell: ({ reason }) => reason },
          ]}
        />
      )}
    </Panel>
  );
}

function FieldOperations({ data }: { data: Quickcheck }) {
  // Feeders without trouble have a row as well, without a reason.
  const urgent = data.fieldOps.filter(({ reason }) => reason !== '');
  return (
    <Panel title="Field operations" note="The most urgent first">
      {urgent.length === 0 ? (
        <Empty>Nothing to do: no feeder is silent or under voltage.</Empty>
      ) : (
        <DataTable
          caption="Field operations"
          rows={urgent}
          keyOf={({ feederId, day }) => `${day} ${feederId}`}
          columns={[
            { title: 'Priority', isNumber: true, cell: ({ priority }) => priority },
            { title: 'Feeder', cell: ({ feederId }) => feederId && <FeederLink id={feederId} /> },
            { title: 'Reason', class: 'reason', cell: ({ reason }) => reason },
          ]}
        />
      )}
    </Panel>
  );
}
