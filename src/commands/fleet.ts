import type { Database } from '../db/db.js';
import { outliveTerminal } from '../local/terminal.js';
import { loadConfig } from '../process/config.js';
import { runProcess } from '../process/lifecycle.js';
import { exportFleet, exportFleetFile, type FleetExported } from '../registry/file/exportFleet.js';
import { loadFleet } from '../registry/file/loadFleet.js';
import { synthesizeFleet } from '../registry/file/synthesizeFleet.js';
import type { RegistryMapping } from '../schema/mapping.js';
import { openCommandDatabase } from './commandDatabase.js';
import { asksForHelp, json, leaveWith, requirePrepared, startedFrom } from './commandLine.js';
import { type FleetCommand, fleetCommand, USAGE } from './fleetArguments.js';
import { fleetReport, leftOutReport } from './fleetReport.js';

/** `npm run fleet`: fills the registry of meters and feeders from a file or the synthetic layout, and writes it to one. */
outliveTerminal();
await runProcess(async () => {
  const args = process.argv.slice(2);
  if (asksForHelp(args)) return leaveWith(`${USAGE}\n`);
  const command = fleetCommand(args, startedFrom('fleet'));
  const config = loadConfig(process.env, { command: 'fleet' });
  const database = await openCommandDatabase(config, 'gridlens-fleet');
  const schema = await requirePrepared(database, config);
  const report = await run(command, database, schema.registry);
  await database.end();
  return leaveWith(report);
});

/** Does what the command says; returns what there is to say about it. */
async function run(command: FleetCommand, database: Database, registry: RegistryMapping): Promise<string> {
  if (command.action === 'load') {
    const loaded = await loadFleet(database, registry, command);
    if (command.asJson) return json({ dryRun: command.dryRun, ...loaded });
    const title = `${command.dryRun ? 'Would load' : 'Loaded'} ${command.file} for ${loaded.tenantIds.join(', ')} into`;
    return fleetReport(title, registry, loaded, loaded);
  }
  const { tenantId } = command;
  if (command.action === 'synthesize') {
    const { meterCount, feederCount } = command;
    const counts = await synthesizeFleet(database, registry, tenantId, { meterCount, feederCount });
    if (command.asJson) return json({ tenantId, ...counts });
    return fleetReport(`Wrote the synthetic fleet of ${tenantId} into`, registry, counts);
  }
  if (command.out === undefined) {
    sayLeftOut(await exportFleet(database, registry, tenantId, () => process.stdout));
    return '';
  }
  const exported = await exportFleetFile(database, registry, tenantId, command.out);
  if (command.asJson) return json({ tenantId, file: command.out, ...exported });
  sayLeftOut(exported);
  return `Exported ${exported.count.toLocaleString('en-US')} meters of ${tenantId} to ${command.out}.\n`;
}

/** Not on stdout, where the file itself may go. */
function sayLeftOut(exported: FleetExported): void {
  process.stderr.write(leftOutReport(exported));
}
