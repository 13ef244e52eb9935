import { parseArgs } from 'node:util';
import { latenessOf, overdue } from '../simulation/lateness.js';
import { MINUTE_MS, type Scenario, type Simulated, simulate } from '../simulation/simulate.js';

export const ABOUT =
  'simulated days of many tenants of 25,000 meters: how late each interval is, and what is left out';
export const OPTIONS = '[--tenants N --hours N --catch-up N]  (one of your own instead of the usual ones)';

const OUTAGE: [number, number] = [6 * 60 + 5, 6 * 60 + 52];

const USUAL: Record<string, Scenario> = {
  'two days': { tenants: 80, hours: 48 },
  '16 of them by the hour': { tenants: 80, hourly: 16, hours: 24 },
  'a backfill beside them': { tenants: 80, hours: 12, backfill: true },
  '47 minutes away, catch-up over 4': { tenants: 80, hours: 24, outage: OUTAGE },
  '47 minutes away, catch-up over 96': { tenants: 80, hours: 24, outage: OUTAGE, catchUpIntervals: 96 },
  'half as many, 47 minutes away': { tenants: 40, hours: 24, outage: OUTAGE },
  'a quarter, 47 minutes away': { tenants: 20, hours: 24, outage: OUTAGE },
  'more than the limit': { tenants: 97, hours: 24 },
};

export async function run(args: string[], print: (line: string) => void): Promise<boolean> {
  const { values } = parseArgs({
    args,
    options: {
      tenants: { type: 'string' },
      hours: { type: 'string', default: '24' },
      'catch-up': { type: 'string', default: '4' },
    },
  });
  const own = { hours: Number(values.hours), catchUpIntervals: Number(values['catch-up']) };
  const scenarios = values.tenants ? { 'as asked': { ...own, tenants: Number(values.tenants) } } : USUAL;
  for (const [name, scenario] of Object.entries<Scenario>(scenarios)) {
    print(`${name}: ${scenario.tenants} tenants, ${scenario.hours} h`);
    for (const line of reportOf(scenario, await simulate(scenario))) print(`  ${line}`);
  }
  return true;
}

function reportOf({ hourly = 0, outage }: Scenario, done: Simulated): string[] {
  const { written, backfilled, forgotten, deepest, start } = done;
  const live = written.filter(({ lane }) => lane === 'live');
  const past = written.filter(({ lane }) => lane === 'background');
  const { first, median, last, luckiest, unluckiest } = latenessOf(live);
  const { fewest, most } = latenessOf(written);
  const isHourly = (tenantId: string): boolean => Number(tenantId.slice(1)) <= hourly;
  const late = overdue({ ...done, written: live }, (tenantId) => (isHourly(tenantId) ? 60 : 15));
  const lines = [
    `${written.length} intervals written, ${forgotten.length} never; a tenant ${fewest} to ${most}; at most ${deepest} jobs at once`,
    `whole ${first.toFixed(1)} s after the boundary at the earliest, ${median.toFixed(0)} in the median, ${last.toFixed(0)} at the latest; means of tenants from ${luckiest.toFixed(0)} to ${unluckiest.toFixed(0)} s; ${late.length} not before the next one was due`,
  ];
  if (backfilled.length > 0)
    lines.push(`${backfilled.length} intervals of the backfill beside ${written.length}`);
  if (outage && past.length > 0) {
    const hours =
      (Math.max(...past.map(({ completedAt }) => completedAt)) - start) / MINUTE_MS / 60 - outage[1] / 60;
    lines.push(`${past.length} caught up with, the last of them ${hours.toFixed(1)} h after the return`);
  }
  return lines;
}
