import { localApiKey } from './local/apiKey.js';
import { banner } from './local/banner.js';
import { stopWithNpm } from './local/stack/npmParent.js';
import { databaseUrl, stagesOf } from './local/stack/stages.js';
import { acquireStartLock } from './local/stack/startLock.js';
import { startupSentence } from './local/stack/startupSentence.js';
import { type Reported, superviseParts } from './local/stack/supervisor.js';
import { outliveTerminal } from './local/terminal.js';
import { type Config, loadConfig } from './process/config.js';

/** `npm start`: the whole product on this machine; its own Postgres unless DATABASE_URL names another. */
async function main(): Promise<'stopped' | 'failed'> {
  const config = loadConfig(process.env, { command: 'start' });
  const lock = await acquireStartLock(config.dataDir);
  try {
    const apiKey = config.apiKey ?? (await localApiKey(config.dataDir));
    return await superviseParts(stagesOf(config, apiKey), {
      onReady: (reported) => process.stdout.write(`${bannerOf(config, apiKey, reported)}\n`),
      onForked: (part, pid) => lock.recordPart(part.name, pid),
      onNote: (line) => process.stderr.write(`${line}\n`),
    });
  } finally {
    await lock.release();
  }
}

function bannerOf(config: Config, apiKey: string, reported: Reported): string {
  return banner({
    ...config,
    databaseUrl: databaseUrl(config, reported),
    postgresFolder: reported.postgres?.dataFolder,
    generatedApiKey: config.apiKey === undefined ? apiKey : undefined,
  });
}

outliveTerminal();
stopWithNpm();
main().then(
  (outcome) => process.exit(outcome === 'stopped' ? 0 : 1),
  (error: unknown) => {
    process.stderr.write(`${startupSentence(error)}\n`);
    process.exit(1);
  },
);
