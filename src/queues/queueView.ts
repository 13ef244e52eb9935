import { type ConnectionOptions, openConnections, QUEUE_NAMES, type RawQueue } from './queueConnections.js';
import { withQueueDeadline } from './queueDeadline.js';

/**
 * The queues for whoever looks at them now and then, over a connection of their own: what they ask may take long, and the
 * process's own connection is for its publishes. The connection is there only while somebody looks.
 */
export interface QueueView {
  /**
   * All queues; other ones after a pause.
   *
   * @throws DependencyUnavailableError within 1.5 s.
   */
  queues(): Promise<readonly RawQueue[]>;
  close(): Promise<void>;
}

/** Longer than the pauses of a page that polls. */
const IDLE_MS = 60_000;

export function createQueueView(options: ConnectionOptions, idleMs = IDLE_MS): QueueView {
  let current: Promise<Opened> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;

  const close = async (): Promise<void> => {
    clearTimeout(timer);
    const closing = current;
    current = undefined;
    const opened = await closing?.catch(() => undefined);
    await opened?.close();
  };
  const open = (): Promise<Opened> => {
    const opening = openAll(options);
    current = opening;
    opening.catch(() => {
      if (current === opening) current = undefined;
    });
    return opening;
  };
  return {
    queues: () =>
      withQueueDeadline(async () => {
        if (isClosed) throw new Error('the process is stopping');
        clearTimeout(timer);
        timer = setTimeout(() => close().catch(options.onError), idleMs).unref();
        return (await (current ?? open())).queues;
      }),
    close() {
      isClosed = true;
      return close();
    },
  };
}

interface Opened {
  queues: readonly RawQueue[];
  close(): Promise<void>;
}

async function openAll(options: ConnectionOptions): Promise<Opened> {
  const connections = await openConnections({
    ...options,
    looksOnly: true,
    queueDatabase: { ...options.queueDatabase, maxConnections: 1 },
  });
  const queues = Object.values(QUEUE_NAMES).map((name) => connections.queue(name));
  for (const queue of queues) queue.on('error', options.onError);
  const close = async (): Promise<void> => {
    await Promise.all(queues.map((queue) => queue.close()));
    await connections.close();
  };
  try {
    await connections.ready();
  } catch (error) {
    await close();
    throw error;
  }
  return { queues, close };
}
