import { examine } from '../doctor/doctor.js';
import { doctorJson, doctorReport, hasFailed } from '../doctor/report.js';
import { loadConfig } from '../process/config.js';
import { runProcess } from '../process/lifecycle.js';
import { commandDatabaseUrl } from './commandDatabase.js';
import { commandLine, leaveWith, say } from './commandLine.js';

const USAGE = `npm run doctor [-- --json]

Looks at this machine, its configuration, Postgres, Redis and the processes, and changes nothing. Each line says ok, warn
or fail, and what to do. Ends with 1 where something failed, else with 0. --json says the same as one JSON document
(npm run -s doctor -- --json keeps npm's own lines out of it).`;

/** `npm run doctor`: what may keep this deployment from working. */
await runProcess(async () => {
  const { values } = commandLine(USAGE).parse({
    args: process.argv.slice(2),
    options: { json: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
  });
  if (values.help) return leaveWith(`${USAGE}\n`);
  const findings = await examine(() => loadConfig(process.env, { command: 'doctor' }), commandDatabaseUrl);
  await say(process.stdout, values.json ? doctorJson(findings) : doctorReport(findings, process.stdout));
  // What has not answered in its time may still wait for an answer.
  process.exit(hasFailed(findings) ? 1 : 0);
});
