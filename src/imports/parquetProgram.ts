import { Worker } from 'node:worker_threads';
import { type FileBatch, UnreadableFileError } from '../intervalFiles/intervalFiles.js';
import { readParquet } from '../intervalFiles/parquet/readParquet.js';
import { bytesOf } from './fileBytes.js';
import type { ParquetAnswer, ParquetQuestion } from './parquetApart.js';

/** The program of the process that reads Parquet: it reads a group of rows each time it is asked, one question at a time. */

/**
 * A process whose parent was killed learns of it from its event loop, and a reader that is busy for ever never gets there.
 * So a thread looks.
 */
const WATCH = `const parent = process.ppid;
setInterval(() => { if (process.ppid !== parent) process.kill(process.pid, 'SIGKILL'); }, 1_000);`;
new Worker(WATCH, { eval: true }).unref();

let groups: AsyncIterator<FileBatch> | undefined;

async function* groupsOf(path: string, feederColumn: string | undefined): AsyncGenerator<FileBatch> {
  yield* readParquet(await bytesOf(path), feederColumn);
}

async function answerTo(question: ParquetQuestion): Promise<ParquetAnswer> {
  try {
    if (question !== 'next') groups = groupsOf(question.path, question.feederColumn);
    const next = await groups?.next();
    return next === undefined || next.done ? { isRead: true } : { batch: next.value };
  } catch (error) {
    if (error instanceof UnreadableFileError) return { refusal: error.message };
    return { failure: (error as Error).message };
  }
}

process.on('message', (question: ParquetQuestion) => {
  void answerTo(question).then((answer) => process.send?.(answer));
});
process.on('disconnect', () => process.exit());
