import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { MAX_METER_COUNT, MIN_FEEDER_COUNT } from '../contracts/limits.js';
import { arrangeDemo, historyProgress, stopDemo } from '../demo/demo.js';
import { type DemoApi, openDemoApi } from '../demo/demoApi.js';
import { DEMO_TENANT, demoPlan } from '../demo/demoPlan.js';
import { takeDemoAway } from '../demo/takeAway.js';
import { reachableHost } from '../local/banner.js';
import { readIfThere } from '../local/keptFile.js';
import { type Config, loadConfig } from '../process/config.js';
import { runProcess } from '../process/lifecycle.js';
import { endReport, percentDone, progressText } from './backfillReport.js';
import { openCommandDatabase } from './commandDatabase.js';
import {
  asksForHelp,
  commandLine,
  json,
  leaveWith,
  requirePrepared,
  say,
  wholeNumber,
} from './commandLine.js';
import { openProgress } from './progressBar.js';

const DEFAULT_METERS = 2_000;
const LOOK_EVERY_MS = 500;

const USAGE = `npm run demo [-- --meters ${DEFAULT_METERS}] [--json]
npm run demo -- --reset [--json]

Shows a running npm start at its best: tenant ${DEMO_TENANT} with two days of history, automatic mode on, a theft, an outage
and a voltage sag in the history, and a theft now. Again, it changes nothing. --reset takes all of that tenant away.`;

/** `npm run demo`: a tenant to show, and away with it. */
await runProcess(async () => {
  const args = process.argv.slice(2);
  if (asksForHelp(args)) return leaveWith(`${USAGE}\n`);
  const { reset, asJson, meterCount } = options(args);
  const config = loadConfig(process.env, { command: 'demo' });
  const url = `http://${reachableHost(config.host)}:${config.port}`;
  const api = await openDemoApi(url, await keyOf(config));
  if (reset) return takeAway(api, config, asJson);
  const arranged = await arrangeDemo(api, demoPlan(meterCount, new Date()));
  const dashboard = `${url}/?tenant=${DEMO_TENANT}`;
  const isNew = arranged.events > 0 || arranged.startedAutomatic || arranged.startedBackfill;
  if (!asJson) {
    const what = isNew
      ? `Tenant ${DEMO_TENANT} is set up`
      : `Tenant ${DEMO_TENANT} was set up before, and stays as it is`;
    await say(process.stdout, `${what}. Look at it: ${dashboard}\n`);
  }
  const history = await follow(api, arranged.backfillId, asJson);
  const report = asJson
    ? json({ tenantId: DEMO_TENANT, dashboard, ...arranged, history })
    : endReport(history);
  await say(process.stdout, report);
  process.exit(history.state === 'done' ? 0 : 1);
});

/** Shows the history until it is there; Ctrl-C leaves it to fill. */
async function follow(api: DemoApi, backfillId: string, asJson: boolean) {
  const display = asJson ? undefined : openProgress(process.stdout);
  for (;;) {
    const progress = await historyProgress(api, backfillId);
    if (progress.state !== 'queued' && progress.state !== 'running') {
      display?.close();
      return progress;
    }
    display?.show(percentDone(progress), progressText(progress, true));
    await sleep(LOOK_EVERY_MS);
  }
}

async function takeAway(api: DemoApi, config: Config, asJson: boolean): Promise<never> {
  await stopDemo(api);
  const database = await openCommandDatabase(config, 'gridlens-demo');
  const { reads } = await takeDemoAway(database, await requirePrepared(database, config));
  await database.end();
  const taken = `Tenant ${DEMO_TENANT} is gone, with ${reads.toLocaleString('en-US')} reads.\n`;
  return leaveWith(asJson ? json({ tenantId: DEMO_TENANT, reads }) : taken);
}

/** As the runbook has it: the one that was set, else the one that `npm start` has made. */
async function keyOf({ apiKeys, dataDir }: Config): Promise<string | undefined> {
  return apiKeys[0] ?? ((await readIfThere(join(dataDir, 'api-key')))?.trim() || undefined);
}

function options(args: string[]): { reset: boolean; asJson: boolean; meterCount: number } {
  const { parse, wrong } = commandLine(USAGE);
  const { values } = parse({
    args,
    options: { reset: { type: 'boolean' }, json: { type: 'boolean' }, meters: { type: 'string' } },
  });
  const meterCount = wholeNumber(values.meters ?? String(DEFAULT_METERS));
  if (!(meterCount >= MIN_FEEDER_COUNT && meterCount <= MAX_METER_COUNT))
    return wrong(`--meters must be a whole number from ${MIN_FEEDER_COUNT} to ${MAX_METER_COUNT}.`);
  if (values.reset && values.meters !== undefined) return wrong('--meters does not go with --reset.');
  return { reset: values.reset ?? false, asJson: values.json ?? false, meterCount };
}
