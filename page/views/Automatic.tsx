import { count, duration, plural } from '../core/format.js';
import { reasonOf } from '../core/reason.js';
import { get, post } from '../data/api.js';
import { notice } from '../data/notices.js';
import type { AutoConfig, AutoStatus, Backfill } from '../data/types.js';
import { useVersioned } from '../data/useVersioned.js';
import { AutomaticForm } from '../parts/AutomaticForm.js';
import { BackfillBar } from '../parts/BackfillBar.js';
import { BackfillForm } from '../parts/BackfillForm.js';
import { DataTable } from '../parts/DataTable.js';
import { Figure } from '../parts/Figures.js';
import { Empty, Panel } from '../parts/Panel.js';
import { Polling } from '../parts/Polling.js';
import { Instant, Interval } from '../parts/Time.js';
import { Validation } from '../parts/Validation.js';
import type { ViewProps } from './ViewProps.js';

const POLL_MS = 3_000;

/** What publishes by itself: on or off, how it is set, what comes next, what is waited for, and the past that is filled in. */
export function Automatic({ tenantId, state }: Pick<ViewProps, 'tenantId' | 'state'>) {
  const auto = useVersioned<AutoStatus>(
    `automatic mode of ${tenantId}`,
    state.version,
    (signal) => get('/auto/status', { tenantId }, signal),
    POLL_MS,
  );
  const backfills = useVersioned<{ backfills: Backfill[] }>(
    `backfills of ${tenantId}`,
    state.version,
    (signal) => get('/backfills', { tenantId }, signal),
    POLL_MS,
  );
  const changed = (): void => {
    auto.refresh();
    backfills.refresh();
    state.quickcheck.refresh();
  };
  return (
    <>
      <div class="title-row">
        <h1 tabIndex={-1}>Automatic mode</h1>
      </div>
      <Polling polled={auto} what="the automatic mode" height={300}>
        {(data) => (
          <>
            <Now status={data} tenantId={tenantId} changed={changed} />
            <Waiting status={data} />
            <Panel
              title={data.enabled ? 'Settings' : 'Start'}
              note={data.enabled ? 'Saved settings hold from the next interval on' : ''}
            >
              <AutomaticForm
                key={`${tenantId} ${data.enabled}`}
                tenantId={tenantId}
                config={data.config}
                isRunning={data.enabled}
                changed={changed}
              />
            </Panel>
          </>
        )}
      </Polling>
      <Panel title="Backfills" note="Fill in the past, behind everything else">
        <BackfillForm tenantId={tenantId} isAutomatic={auto.data?.config != null} changed={changed} />
        <Polling polled={backfills} what="backfills" height={80}>
          {({ backfills: all }) =>
            all.length === 0 ? (
              <Empty>None yet.</Empty>
            ) : (
              all.map((one) => (
                <BackfillBar key={one.backfillId} backfill={one} cancel={() => void cancel(one, changed)} />
              ))
            )
          }
        </Polling>
      </Panel>
      <Validation tenantId={tenantId} changed={changed} />
    </>
  );
}

function Now({ status, tenantId, changed }: { status: AutoStatus; tenantId: string; changed: () => void }) {
  const { enabled, config, nextRunAt, replay, queue } = status;
  const waiting = (queue.waiting ?? 0) + (queue.delayed ?? 0) + (queue.active ?? 0);
  return (
    <Panel
      title={enabled ? 'Running' : 'Off'}
      note={enabled && config ? fleetWords(config) : 'Nothing is published by itself for this tenant'}
      actions={
        enabled && (
          <button type="button" onClick={() => void stop(tenantId, changed)}>
            Stop
          </button>
        )
      }
    >
      <dl class="figures">
        <div class="figure">
          <dt>Next run</dt>
          <dd>
            {nextRunAt ? (
              <>
                <Instant at={nextRunAt} as="time" />{' '}
                <small>
                  <Instant at={nextRunAt} as="relative" />
                </small>
              </>
            ) : (
              '–'
            )}
          </dd>
        </div>
        <div class="figure">
          <dt>Latest read</dt>
          <dd>{status.latestReadAt ? <Instant at={status.latestReadAt} /> : '–'}</dd>
        </div>
        <Figure name="In the queue" value={count(waiting)} note=" batches, all tenants" />
        {replay && <ReplayFigure replay={replay} />}
      </dl>
    </Panel>
  );
}

function ReplayFigure({ replay }: { replay: NonNullable<AutoStatus['replay']> }) {
  return (
    <div class="figure">
      <dt>Replay at {replay.speed}×</dt>
      <dd>
        <Instant at={replay.clock} />
      </dd>
    </div>
  );
}

function fleetWords({ fleet, meterCount, feederCount, intervalMinutes, startedAt }: AutoConfig) {
  const meters =
    fleet === 'registry'
      ? 'the registry’s meters'
      : `${plural(meterCount ?? 0, 'meter')} on ${plural(feederCount ?? 0, 'feeder')}`;
  return (
    <>
      {meters}, every {duration(intervalMinutes * 60)}, since <Instant at={startedAt} />
    </>
  );
}

/** Intervals that are owed, and why they are not published yet. */
function Waiting({ status: { waiting, missed, config, enabled } }: { status: AutoStatus }) {
  if (!enabled) return null;
  const length = (config?.intervalMinutes ?? 15) * 60_000;
  return (
    <Panel title="Waited for" note={waiting.length === 0 ? '' : plural(waiting.length, 'interval')}>
      {waiting.length === 0 ? (
        <Empty>Nothing: every interval that is due has been published.</Empty>
      ) : (
        <DataTable
          caption="Intervals waited for"
          rows={waiting}
          keyOf={({ readAt }) => readAt}
          columns={[
            {
              title: 'Interval',
              cell: ({ readAt }) => <Interval start={readAt} end={Date.parse(readAt) + length} />,
            },
            {
              title: 'Why',
              class: 'reason',
              cell: ({ failure }) => failure ?? 'It is next in turn, behind what is being written.',
            },
            {
              title: 'Next try',
              cell: ({ nextTryAt }) => (nextTryAt ? <Instant at={nextTryAt} as="relative" /> : 'at once'),
            },
          ]}
        />
      )}
      {missed && missed.intervals > 0 && (
        <p class="banner warn">
          {plural(missed.intervals, 'older interval')} of the last days were missed, and are not caught up by
          themselves. A backfill fills them in.
        </p>
      )}
    </Panel>
  );
}

async function stop(tenantId: string, changed: () => void): Promise<void> {
  try {
    await post('/auto/stop', { tenantId });
    notice('done', `Automatic mode of ${tenantId} has stopped. What was accepted before is still written.`);
  } catch (error) {
    notice('failed', `Not stopped: ${reasonOf(error)}`);
  }
  changed();
}

async function cancel({ backfillId }: Backfill, changed: () => void): Promise<void> {
  try {
    await post(`/backfill/${backfillId}/cancel`, {});
    notice('done', 'The backfill is cancelled. What has been accepted is still written.');
  } catch (error) {
    notice('failed', `Not cancelled: ${reasonOf(error)}`);
  }
  changed();
}
