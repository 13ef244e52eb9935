import { get } from './api.js';

const LOOK_EVERY_MS = 700;
const ENDED = ['done', 'failed', 'cancelled'];

/** Looks at work under way until it has ended; undefined when it has not after so many looks. */
export async function untilEnded<Work extends { state: string }>(
  path: string,
  looks: number,
): Promise<Work | undefined> {
  for (let look = 0; look < looks; look += 1) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    const work = await get<Work>(path);
    if (ENDED.includes(work.state)) return work;
  }
  return undefined;
}
