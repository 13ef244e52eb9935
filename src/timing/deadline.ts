/**
 * The call's answer, or `late()` thrown when it takes longer than `deadlineMs`. The call itself is not
 * stopped; its late answer is dropped.
 */
export async function withDeadline<T>(
  call: () => Promise<T>,
  deadlineMs: number,
  late: () => Error,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const expired = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(late()), deadlineMs);
  });
  try {
    return await Promise.race([call(), expired]);
  } finally {
    clearTimeout(timer);
  }
}
