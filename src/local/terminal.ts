/**
 * Lets the process outlive its terminal. A write to a terminal that was closed, or to the pipe of a `head` that has ended,
 * raises an `error` event. Without a listener the event ends the process in the middle of its work, for example while it
 * stops the others. The text has no reader any more, so there is nothing else to do.
 */
export function outliveTerminal(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
}
