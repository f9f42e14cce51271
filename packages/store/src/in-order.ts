/** Runs one piece of work after the other, in the order of calling. */
export function createQueue() {
  let last: Promise<unknown> = Promise.resolve();
  return <T>(work: () => Promise<T>): Promise<T> => {
    const run = last.then(work);
    last = run.catch(() => undefined); // reported to its own caller
    return run;
  };
}
