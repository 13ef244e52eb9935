import type { RemovedScenario, ScenarioPlan } from '../scenarios/applying.js';
import type { PlannedEvent, Scenario } from '../scenarios/scenario.js';

/** As many as one looks through. */
const SHOWN = 10;

const count = (value: number, one: string, many: string): string =>
  `${value.toLocaleString('en-US')} ${value === 1 ? one : many}`;

/** What `apply` would do. */
export function planReport(scenario: Scenario, plan: ScenarioPlan): string {
  const { post, stop, there, automatic } = plan;
  const mode = {
    same: 'Automatic mode runs as the file has it.',
    start: `Automatic mode would be started, replaying from ${scenario.from.toISOString()} at ${scenario.file.speed} times life.`,
    change: `Automatic mode runs with other settings: the replay would begin anew at ${scenario.from.toISOString()}; reads that are there would stay.`,
  }[automatic];
  return `${[
    head(scenario),
    `${count(post.length, 'event', 'events')} would be posted, ${count(stop.length, 'one', 'others')} that the file does not have would be ended, ${count(there, 'one is', 'are')} there.`,
    ...shown(post),
    mode,
  ].join('\n')}\n`;
}

/** What `apply` did. */
export function appliedReport(scenario: Scenario, plan: ScenarioPlan, dashboard: string): string {
  const { post, stop, there, automatic } = plan;
  const isNew = post.length + stop.length > 0 || automatic !== 'same';
  if (!isNew)
    return `${head(scenario)}\nAll of it was there, and nothing was changed. Look at it: ${dashboard}\n`;
  const mode = { same: 'runs as before', start: 'was started', change: 'was started anew' }[automatic];
  return `${head(scenario)}\n${count(post.length, 'event was', 'events were')} posted, ${stop.length} ended, ${there} there before; automatic mode ${mode}. Look at it: ${dashboard}\n`;
}

/** What `remove` did. */
export function removedReport(tenantId: string, { stopped, over, wasRunning }: RemovedScenario): string {
  const mode = wasRunning ? 'Automatic mode was stopped' : 'Automatic mode did not run';
  return `${mode} for ${tenantId}, ${count(stopped, 'event was', 'events were')} ended. What was written stays: its reads, and ${count(over, 'event that was', 'events that were')} over.\n`;
}

function head({ file, from, to, events }: Scenario): string {
  return `${file.scenario}: ${count(file.meterCount, 'meter', 'meters')} of ${file.tenantId}, ${from.toISOString()} to ${to.toISOString()}, ${count(events.length, 'event', 'events')}.`;
}

function shown(events: readonly PlannedEvent[]): string[] {
  const lines = events
    .slice(0, SHOWN)
    .map(
      ({ eventType, feederId, startAt, endAt, severity }) =>
        `  ${startAt.toISOString()}  ${endAt.toISOString()}  ${eventType.padEnd(12)}  ${feederId.padEnd(9)}  ${severity}`,
    );
  return events.length > SHOWN ? [...lines, `  … and ${events.length - SHOWN} more`] : lines;
}
