/**
 * Waits until `probe` answers something other than undefined or false; fails after `timeoutMs`. A probe that takes long
 * is asked less often, twice a second at least: looking must not take the machine from what is looked at.
 */
export async function waitFor<T>(
  what: string,
  probe: () => Promise<T | undefined | false>,
  timeoutMs = 180_000,
): Promise<T> {
  const until = performance.now() + timeoutMs;
  for (;;) {
    const asked = performance.now();
    const found = await probe();
    if (found !== undefined && found !== false) return found;
    const took = performance.now() - asked;
    if (performance.now() > until) throw new Error(`gave up waiting for ${what} after ${timeoutMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, Math.min(500, Math.max(50, 3 * took))));
  }
}
