import { join } from 'node:path';
import { StartupError } from '../contracts/errors.js';
import { openDemoApi } from '../demo/demoApi.js';
import { reachableHost } from '../local/banner.js';
import { readIfThere } from '../local/keptFile.js';
import { type Config, loadConfig } from '../process/config.js';
import { runProcess } from '../process/lifecycle.js';
import { applyScenario, planApplying, removeScenario } from '../scenarios/applying.js';
import { scenarioSchema } from '../scenarios/shape.js';
import { asksForHelp, commandLine, json, leaveWith } from './commandLine.js';
import { scenarioOf } from './scenarioFile.js';
import { appliedReport, planReport, removedReport } from './scenarioReport.js';

const USAGE = `npm run scenario -- plan FILE [--json]
npm run scenario -- apply FILE [--json]
npm run scenario -- remove FILE [--json]
npm run scenario -- schema

A scenario is a fleet, a span and what happens in it, in one file (docs/scenarios.md; some stand in scenarios/). apply makes a running
deployment replay it: again, it changes nothing, and of a changed file it applies what has changed. plan says what apply would do.
remove ends the scenario's events and its automatic mode; what was written stays. schema prints the file's JSON Schema, for editors.`;

const ACTIONS = ['plan', 'apply', 'remove', 'schema'] as const;
type Action = (typeof ACTIONS)[number];

/** `npm run scenario`: a scenario into a running deployment, and out of it. */
await runProcess(async () => {
  const args = process.argv.slice(2);
  if (asksForHelp(args)) return leaveWith(`${USAGE}\n`);
  const { action, path, asJson } = options(args);
  if (action === 'schema') return leaveWith(json(scenarioSchema()));
  const scenario = await scenarioOf(path);
  if (action !== 'remove' && scenario.from > new Date())
    throw new StartupError(
      `${path}: span.from must not lie in the future for a deployment to replay it: it begins at ${scenario.from.toISOString()}.`,
    );
  const config = loadConfig(process.env, { command: 'scenario' });
  const url = `http://${reachableHost(config.host)}:${config.port}`;
  const api = await openDemoApi(url, await keyOf(config));
  const { tenantId } = scenario.file;
  if (action === 'remove') {
    const removed = await removeScenario(api, tenantId);
    return leaveWith(asJson ? json({ tenantId, ...removed }) : removedReport(tenantId, removed));
  }
  const plan = await (action === 'plan' ? planApplying : applyScenario)(api, scenario);
  if (asJson) return leaveWith(json({ tenantId, ...plan }));
  return leaveWith(
    action === 'plan'
      ? planReport(scenario, plan)
      : appliedReport(scenario, plan, `${url}/?tenant=${tenantId}`),
  );
});

async function keyOf({ apiKeys, dataDir }: Config): Promise<string | undefined> {
  return apiKeys[0] ?? ((await readIfThere(join(dataDir, 'api-key')))?.trim() || undefined);
}

function options(args: string[]): { action: Action; path: string; asJson: boolean } {
  const { parse, wrong } = commandLine(USAGE);
  const { values, positionals } = parse({
    args,
    allowPositionals: true,
    options: { json: { type: 'boolean' } },
  });
  const [word, path, tooMany] = positionals;
  const action = ACTIONS.find((one) => one === word);
  if (action === undefined) return wrong(`Say what to do with the scenario: ${ACTIONS.join(', ')}.`);
  if (action !== 'schema' && path === undefined) return wrong(`Name the scenario's file after ${action}.`);
  if (tooMany !== undefined) return wrong(`One file at a time: ${tooMany} is one too many.`);
  return { action, path: path ?? '', asJson: values.json ?? false };
}
