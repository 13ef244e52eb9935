import { interval, percent, volts } from '../core/format.js';
import { get } from './api.js';
import { notice } from './notices.js';
import type { EventCreated, LatestFeeder, PublishProgress, Quickcheck } from './types.js';
import { untilEnded } from './untilEnded.js';

const LOOKS = 200;

/**
 * Follows the revision of an event until it is written, and says what it has changed: the feeder's figures before and
 * after.
 *
 * @param changed is called when the figures are new.
 */
export async function followRevision(
  name: string,
  { event, revision, safetyWarnings }: EventCreated,
  before: LatestFeeder | undefined,
  changed: () => void,
): Promise<void> {
  const warnings = safetyWarnings.join(' ');
  if (!revision) {
    notice(
      'done',
      `${name} was posted. ${warnings || 'It shows in the intervals that are published from now on.'}`,
    );
    return changed();
  }
  const when = interval(Date.parse(revision.intervalStart), Date.parse(revision.intervalEnd), Date.now());
  const id = notice('under-way', `${name} was posted. Writing ${when} anew…`);
  const progress = await untilEnded<PublishProgress>(`/publish/${revision.publishId}`, LOOKS);
  if (progress === undefined) {
    notice(
      'failed',
      `${name} was posted, but ${when} has not been written anew yet: is a worker running?`,
      id,
    );
    return;
  }
  if (progress.state !== 'done') {
    notice('failed', `${name}: writing ${when} anew has ${progress.state}.`, id);
    return changed();
  }
  const { latestFeeders } = await get<Quickcheck>('/kpi/quickcheck', { tenantId: event.tenantId });
  const after = latestFeeders.find(({ feederId }) => feederId === event.feederId);
  const change = changeOf(before, after);
  const outcome =
    change === null ? `${name} was posted; ${when} is as it was.` : `${name} shows in ${when}: ${change}.`;
  notice('done', `${outcome} ${warnings}`, id);
  changed();
}

/** What differs, null for nothing. */
function changeOf(before: LatestFeeder | undefined, after: LatestFeeder | undefined): string | null {
  const parts = (
    [
      ['loss', before?.lossPct, after?.lossPct, percent],
      ['lowest voltage', before?.minVoltage, after?.minVoltage, volts],
      ['reporting', before?.reportingPct, after?.reportingPct, percent],
    ] as const
  )
    .filter(([, from, to]) => from !== to)
    .map(([what, from, to, format]) => `${what} ${format(from)} → ${format(to)}`);
  return parts.length === 0 ? null : parts.join(', ');
}
