/** A world for each that asks for one: always the same one, until something goes wrong in it. */
export interface Worlds<World> {
  /** A world in which `work` failed is closed: whatever it was left like, the next work finds a new one. @throws what `work` throws */
  in<T>(work: (world: World) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** @param create makes a world when there is none */
export function createWorlds<World extends { close(): Promise<void> }>(create: () => Promise<World>): Worlds<World> {
  let current: World | null = null;
  const close = async () => {
    const closing = current;
    current = null;
    await closing?.close();
  };
  return {
    async in(work) {
      const world = (current ??= await create());
      try {
        return await work(world);
      } catch (error) {
        await close();
        throw error;
      }
    },
    close,
  };
}
