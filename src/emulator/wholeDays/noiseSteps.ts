/** Where the quarter hours of a day lie between the nodes of a noise (`valueNoise`): the same for all who have its period. */
export interface NoiseSteps {
  /** The node before, and the way from it to the next one, [0, 1): both by the steps since the day's first. */
  node: Int32Array;
  way: Float64Array;
}

/**
 * @param firstSlot UTC quarter hour.
 * @param slots of the day.
 * @param phases how many steps later than the slot a subject's step may be.
 */
export function noiseSteps(firstSlot: number, slots: number, phases: number, period: number): NoiseSteps {
  const node = new Int32Array(slots + phases);
  const way = new Float64Array(slots + phases);
  for (let at = 0; at < node.length; at += 1) {
    const step = firstSlot + at;
    node[at] = Math.floor(step / period);
    // As in `valueNoise` to the last bit.
    way[at] = step / period - (node[at] as number);
  }
  return { node, way };
}
