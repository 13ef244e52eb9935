import { useState } from 'preact/hooks';
import { count } from '../core/format.js';
import { reasonOf } from '../core/reason.js';
import { HOUR, QUARTER_HOUR } from '../core/spans.js';
import { post } from '../data/api.js';
import { notice } from '../data/notices.js';
import { Choice } from './Choice.js';

const HOURS = [0.25, 6, 12, 24, 48, 168, 720] as const;
const METERS = [500, 2_000, 5_000, 10_000, 25_000];

export const hoursWords = (hours: number): string => {
  if (hours < 1) return `${hours * 60} minutes`;
  return hours < 48 ? `${hours} hours` : `${hours / 24} days`;
};

/** The start of a backfill that ends now; of whole hours it is on an hour, so that it fits intervals of both lengths. */
export const backfillStart = (hours: number): string => {
  const step = hours < 1 ? QUARTER_HOUR : HOUR;
  return new Date(Math.floor(Date.now() / step) * step - hours * HOUR).toISOString();
};

/**
 * Fills in the last hours or days.
 *
 * @param isAutomatic whether the tenant has an automatic mode, whose settings are taken then.
 */
export function BackfillForm({
  tenantId,
  isAutomatic,
  changed,
}: {
  tenantId: string;
  isAutomatic: boolean;
  changed: () => void;
}) {
  const [hours, setHours] = useState<number>(24);
  const [meters, setMeters] = useState(500);
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    try {
      await post('/backfill', {
        tenantId,
        from: backfillStart(hours),
        ...(isAutomatic ? {} : { meterCount: meters }),
      });
      notice('done', `The last ${hoursWords(hours)} are being filled in, the newest first.`);
    } catch (error) {
      notice('failed', `No backfill: ${reasonOf(error)}`);
    }
    changed();
  };
  return (
    <form class="grid-form" onSubmit={submit}>
      <Choice name="Fill in the last" value={hours} options={HOURS} words={hoursWords} onChoose={setHours} />
      {!isAutomatic && (
        <Choice name="Meters" value={meters} options={METERS} words={count} onChoose={setMeters} />
      )}
      <button type="submit">Fill in</button>
    </form>
  );
}
