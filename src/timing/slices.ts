/**
 * Lets those who wait for one and the same moment go on in slices, with a turn of the event loop between them: two hundred
 * answers that are sent at once keep everybody else waiting for 100 ms.
 *
 * @param perTurn how many go on in each turn.
 * @returns a promise for each call, in the order of the calls.
 */
export function createSlices(perTurn: number): () => Promise<void> {
  const waiting: (() => void)[] = [];
  const next = (): void => {
    for (const goOn of waiting.splice(0, perTurn)) goOn();
    if (waiting.length > 0) setImmediate(next);
  };
  return () =>
    new Promise((resolve) => {
      if (waiting.length === 0) setImmediate(next);
      waiting.push(resolve);
    });
}
