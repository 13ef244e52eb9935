/**
 * What a part says to the supervisor and hears from it, over the channel that `fork` opened. In a process that was
 * started alone (`npm run api`) all of this does nothing.
 *
 * There is no schema: both ends are this file in the same version, and every part would wait for a schema to load.
 */

/** A part may say it again when its details have changed. */
export interface ReadyMessage {
  type: 'ready';
  details: Record<string, string>;
}

/** Everything will have ended by then (epoch ms); sent before any part is asked to stop. */
export interface StoppingMessage {
  type: 'stopping';
  by: number;
}

/** Whether a supervisor has started this process, as part of `npm start`. */
export function isSupervised(): boolean {
  return process.send !== undefined;
}

/** Tells the supervisor that this part does its work; `details` are for the parts that start after it. */
export function reportReady(details: Record<string, string> = {}): void {
  const message: ReadyMessage = { type: 'ready', details };
  // The callback takes the error of a channel that has just closed: onSupervisorLost acts on that.
  if (process.connected) process.send?.(message, undefined, {}, () => undefined);
}

/** Other libraries may use the same channel, so a message need not be one of ours. */
export function asReadyMessage(message: unknown): ReadyMessage | undefined {
  return isOfType(message, 'ready') && 'details' in message ? (message as ReadyMessage) : undefined;
}

/**
 * Calls back once when the supervisor is gone, even by `kill -9`: a part must then end by itself, or it is an
 * orphan. The channel does not keep the process from ending.
 */
export function onSupervisorLost(callback: () => void): void {
  if (process.send === undefined) return;
  // It may have gone while this process was still loading its modules: no event comes for that any more.
  if (!process.connected) setImmediate(callback);
  process.once('disconnect', callback);
  process.channel?.unref();
}

/** Calls back with the time (epoch ms) by which everything will have ended. */
export function onStopAnnounced(callback: (by: number) => void): void {
  if (process.send === undefined) return;
  process.on('message', (message: unknown) => {
    if (isOfType(message, 'stopping')) callback((message as StoppingMessage).by);
  });
  process.channel?.unref();
}

function isOfType(message: unknown, type: string): message is { type: string } {
  return typeof message === 'object' && message !== null && 'type' in message && message.type === type;
}
