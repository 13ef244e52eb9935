/** Nobody waits at a terminal for this stop, so half a second more does not matter. */
const LOOK_EVERY_MS = 500;

/**
 * Under `npm start`, stops this process as by SIGTERM when its parent is gone.
 *
 * The script `exec`s node, so npm hands its signals to us. But an npm killed by -9 hands on nothing, and the stack would
 * go on with nobody left to stop it. This holds only under npm: a plain `node dist/start.js &` may outlive the shell that
 * started it.
 */
export function stopWithNpm(): void {
  if (process.env.npm_lifecycle_event === undefined) return;
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    process.kill(process.pid, 'SIGTERM');
  }, LOOK_EVERY_MS);
  watch.unref();
}
