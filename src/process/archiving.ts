import { Worker } from 'node:worker_threads';
import { type ArchiveResult, dueDays } from '../archive/archive.js';
import { keptSince } from '../contracts/intervals.js';
import type { Pooling } from '../db/pooling.js';
import { ownFile } from '../ownFiles/ownFile.js';
import { oneProcessAtATime } from '../timing/oneProcessAtATime.js';
import type { Context } from './context.js';

/** What the archive's thread is started with. */
export interface ArchiveTask {
  folder: string;
  readsRetentionDays: number;
  now: Date;
  databaseUrl: string;
  pooling: Pooling;
}

/** Whether days are archived before retention drops them; then nothing else may drop them. */
export function archives({ config, schema }: Pick<Context, 'config' | 'schema'>): boolean {
  return config.archiveDir !== undefined && config.readsRetentionDays !== undefined && schema.reads.own;
}

/**
 * One run of the archive. It works in a thread, over a connection of its own: reading a day and writing it takes up to a minute of a
 * core, and ticks are to stay on time.
 */
export async function archiveDue(context: Context, now: Date): Promise<void> {
  const { config, database, databaseUrl, log } = context;
  const { archiveDir: folder, readsRetentionDays } = config;
  if (folder === undefined || readsRetentionDays === undefined || !archives(context)) return;
  if ((await dueDays(database, keptSince(now, readsRetentionDays) as Date)).length === 0) return;
  const { pooling } = context.connections;
  const done = await oneProcessAtATime(database, 'archive', () =>
    onThread({ folder, readsRetentionDays, now, databaseUrl, pooling }),
  );
  if (done?.archived.length) log.info({ days: done.archived }, 'days archived and dropped');
  if (done?.failure)
    log.error(done.failure, 'a day of reads could not be archived: it is kept, and tried again');
}

const PROGRAM = ownFile('dist', 'process/archiveThread.js');

function onThread(task: ArchiveTask): Promise<ArchiveResult> {
  return new Promise((resolve, reject) => {
    const thread = new Worker(PROGRAM, { workerData: task });
    // It must not keep a worker from ending: a day that is cut off is archived anew.
    thread.unref();
    thread.once('message', resolve).once('error', reject);
    thread.once('exit', (code) => reject(new Error(`the archive's thread ended with ${code}`)));
  });
}
