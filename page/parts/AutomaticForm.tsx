import { useState } from 'preact/hooks';
import { count } from '../core/format.js';
import { reasonOf } from '../core/reason.js';
import { post } from '../data/api.js';
import { notice } from '../data/notices.js';
import type { AutoConfig } from '../data/types.js';
import { Choice } from './Choice.js';

interface AutomaticFormProps {
  tenantId: string;
  config: AutoConfig | null;
  isRunning: boolean;
  changed: () => void;
}

const METERS = [500, 2_000, 5_000, 10_000, 25_000];
const FEEDERS = [10, 15, 20, 25, 30, 40];
const CATCH_UPS = [1, 4, 8, 24, 96];

/** Starts the automatic mode, or changes how it is set. */
export function AutomaticForm({ tenantId, config, isRunning, changed }: AutomaticFormProps) {
  const [fleet, setFleet] = useState(config?.fleet ?? 'synthetic');
  const [meters, setMeters] = useState(config?.meterCount ?? 25_000);
  const [feeders, setFeeders] = useState(config?.feederCount ?? 25);
  const [minutes, setMinutes] = useState<number>(config?.intervalMinutes ?? 15);
  const [catchUp, setCatchUp] = useState(config?.catchUpIntervals ?? 4);
  const [isSending, setIsSending] = useState(false);

  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    setIsSending(true);
    try {
      const { safetyWarnings } = await post<{ safetyWarnings: string[] }>('/auto/start', {
        ...kept(config),
        tenantId,
        fleet,
        intervalMinutes: minutes,
        catchUpIntervals: catchUp,
        ...(fleet === 'synthetic' ? { meterCount: meters, feederCount: feeders } : {}),
      });
      notice(
        'done',
        [isRunning ? 'Saved.' : `Automatic mode of ${tenantId} has started.`, ...safetyWarnings].join(' '),
      );
    } catch (error) {
      notice('failed', `Not ${isRunning ? 'saved' : 'started'}: ${reasonOf(error)}`);
    }
    setIsSending(false);
    changed();
  };

  return (
    <form class="grid-form" onSubmit={submit}>
      <Choice
        name="Fleet"
        value={fleet}
        options={['synthetic', 'registry'] as const}
        words={(one) => (one === 'synthetic' ? 'synthetic' : 'the registry’s meters')}
        onChoose={setFleet}
      />
      {fleet === 'synthetic' && (
        <>
          <Choice name="Meters" value={meters} options={METERS} words={count} onChoose={setMeters} />
          <Choice name="Feeders" value={feeders} options={FEEDERS} words={count} onChoose={setFeeders} />
        </>
      )}
      <Choice
        name="Interval"
        value={minutes}
        options={[15, 60]}
        words={(one) => `${one} minutes`}
        onChoose={setMinutes}
      />
      <Choice
        name="Catch up"
        value={catchUp}
        options={CATCH_UPS}
        words={(one) => (one === 1 ? 'the running one' : `the last ${one} intervals`)}
        onChoose={setCatchUp}
      />
      <button type="submit" class="primary" disabled={isSending}>
        {isRunning ? 'Save settings' : 'Start automatic mode'}
      </button>
    </form>
  );
}

/** What this form does not show stays as it is. */
function kept(config: AutoConfig | null): object {
  if (!config) return {};
  const { batchSize, timeZone, climate, replay, model, place, customers, der, network, oddities, lateness } =
    config;
  const { seed } = config as { seed?: string };
  return {
    batchSize,
    timeZone,
    model,
    ...(place === undefined ? { climate } : { place }),
    ...(customers && { customers }),
    ...(der && { der }),
    ...(network && { network }),
    ...(oddities && { oddities }),
    ...(lateness && { lateness }),
    ...(seed === undefined ? {} : { seed }),
    ...(replay ? { replay } : {}),
  };
}
