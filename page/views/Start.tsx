import { useState } from 'preact/hooks';
import { count } from '../core/format.js';
import { reasonOf } from '../core/reason.js';
import { post } from '../data/api.js';
import { change } from '../data/location.js';
import { notice } from '../data/notices.js';
import { backfillStart, hoursWords } from '../parts/BackfillForm.js';
import { Choice } from '../parts/Choice.js';
import { Panel } from '../parts/Panel.js';

/** The least that fills a chart: a day of 500 meters is 20 s of writing at the limit of reads. */
const SECONDS_PER_READ = 1 / 2_250;
const METERS = [500, 2_000, 25_000];
const HOURS = [0, 6, 24, 48];

/** The first thing that there is to do: what to show where nothing has been published. */
export function Start({ tenantId, started }: { tenantId: string | null; started: () => void }) {
  const [name, setName] = useState(tenantId ?? 'DEMO_TENANT');
  const [meters, setMeters] = useState(2_000);
  const [hours, setHours] = useState(6);
  const [isSending, setIsSending] = useState(false);
  const seconds = Math.round(meters * (1 + hours * 4) * SECONDS_PER_READ);

  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    setIsSending(true);
    try {
      await post('/auto/start', { tenantId: name, meterCount: meters, feederCount: 25, catchUpIntervals: 1 });
      if (hours > 0) await post('/backfill', { tenantId: name, from: backfillStart(hours) });
      notice('done', `${name} has started: the running quarter hour is written first, then the past.`);
      change({ tenant: name });
      started();
    } catch (error) {
      notice('failed', `Not started: ${reasonOf(error)}`);
    }
    setIsSending(false);
  };

  return (
    <>
      <h1 tabIndex={-1}>
        {tenantId === null ? 'Nothing has been published yet' : `${tenantId} has no data yet`}
      </h1>
      <Panel title="Start a fleet" note="synthetic meters on 25 feeders, every quarter hour from now on">
        <form class="grid-form" onSubmit={submit}>
          <label>
            Tenant
            <input
              value={name}
              required
              pattern="[A-Za-z0-9._\-]{1,64}"
              title="1 to 64 letters, digits, dots, underscores or hyphens"
              onInput={(event) => setName(event.currentTarget.value)}
            />
          </label>
          <Choice name="Meters" value={meters} options={METERS} words={count} onChoose={setMeters} />
          <Choice
            name="History"
            value={hours}
            options={HOURS}
            words={(one) => (one === 0 ? 'none' : `the last ${hoursWords(one)}`)}
            onChoose={setHours}
          />
          <button type="submit" class="primary" disabled={isSending}>
            {isSending ? 'Starting…' : 'Start'}
          </button>
        </form>
        <p class="quiet">
          Writing that takes about{' '}
          {seconds < 90 ? `${seconds} seconds` : `${Math.round(seconds / 60)} minutes`} at the limit of 2,500
          reads a second; the charts fill while you watch.
        </p>
      </Panel>
    </>
  );
}
