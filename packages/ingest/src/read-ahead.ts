/**
 * The same items in the same order, with the next one already being made while the consumer works on this one: one item is held, never more.
 * Leaving early waits for the one being made, then closes the source.
 */
export async function* readAhead<T>(source: AsyncGenerator<T>): AsyncGenerator<T> {
  let next = source.next();
  try {
    for (;;) {
      const item = await next;
      if (item.done) return;
      next = source.next();
      next.catch(() => {}); // reported by the await above, in its turn
      yield item.value;
    }
  } finally {
    await Promise.allSettled([next]);
    await source.return(undefined);
  }
}
