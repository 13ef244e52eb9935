import { StartupError } from '../contracts/errors.js';
import { type AmiQueue, openAmiQueue } from './amiQueue.js';
import { type ConnectionOptions, type Connections, openConnections } from './queueConnections.js';
import { thinned } from './thinnedErrors.js';
import { openTickQueue, type TickQueue } from './tickQueue.js';

/** All queues of a process, and the connections under them, which are to be closed last. */
export interface Queues {
  connections: Connections;
  queue: AmiQueue;
  ticks: TickQueue;
}

/**
 * Opens the queues; leaves nothing open when one does not become usable.
 *
 * @throws StartupError when a Redis that answered at first does not go on to.
 */
export async function openQueues(options: ConnectionOptions): Promise<Queues> {
  const onError = thinned(options.onError);
  const connections = await openConnections({ ...options, onError });
  const queue = openAmiQueue(connections, onError);
  const ticks = openTickQueue(connections, onError);
  try {
    await connections.ready();
  } catch (error) {
    await connections.close();
    if (connections.backend === 'redis')
      throw new StartupError(
        `The Redis of REDIS_URL cannot be used (${(error as Error).message}): look at it, and start again.`,
      );
    throw error;
  }
  // They only cost: where this fails, the next start tries again.
  await queue.forgetCompleted().catch(onError);
  return { connections, queue, ticks };
}
