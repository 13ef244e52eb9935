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
    const apiKeys = config.apiKeys.length > 0 ? config.apiKeys : [await localApiKey(config.dataDir)];
    return await superviseParts(stagesOf(config, apiKeys), {
      onReady: (reported) => process.stdout.write(`${bannerOf(config, apiKeys, reported)}\n`),
      onForked: (part, pid) => lock.recordPart(part.name, pid),
      onNote: (line) => process.stderr.write(`${line}\n`),
    });
  } finally {
    await lock.release();
  }
}

function bannerOf(config: Config, apiKeys: readonly string[], reported: Reported): string {
  return banner({
    ...config,
    databaseUrl: databaseUrl(config, reported),
    postgresFolder: reported.postgres?.dataFolder,
    generatedApiKey: config.apiKeys.length === 0 ? apiKeys[0] : undefined,
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
