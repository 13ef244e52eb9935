import { type AmiQueue, openAmiQueue } from './amiQueue.js';
import { type ConnectionOptions, type Connections, openConnections } from './queueConnections.js';
import { openTickQueue, type TickQueue } from './tickQueue.js';

/** All queues of a process, and the connections under them, which are to be closed last. */
export interface Queues {
  connections: Connections;
  queue: AmiQueue;
  ticks: TickQueue;
}

/** Opens the queues; leaves nothing open when one does not become usable. */
export async function openQueues(options: ConnectionOptions): Promise<Queues> {
  const { onError } = options;
  const connections = await openConnections(options);
  const queue = openAmiQueue(connections, onError);
  const ticks = openTickQueue(connections, onError);
  try {
    await connections.ready();
  } catch (error) {
    await connections.close();
    throw error;
  }
  return { connections, queue, ticks };
}
