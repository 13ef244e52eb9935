/**
 * Lets the process outlive its terminal: a write to one that was closed, or to the pipe of a `head` that has ended,
 * raises an `error` event, which without a listener ends the process in the middle of its work (of stopping the
 * others, for example). What was to be said has no reader any more, so there is nothing else to do about it.
 */
export function outliveTerminal(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
}
