/**
 * Hints to waiting workers that there is something to take. What there is stands in the tables of runs and shards, which workers look at every few
 * seconds anyway: a hint that is lost, or comes twice, changes only when they look. `Runs.cutShards` sends them in its own transaction.
 */
export interface Wakeups {
  /** Wakes up to so many workers, on any machine: each hint wakes one. At most 64. */
  send(count: number): Promise<void>;
  /** Takes one hint. False: there was none. */
  take(): Promise<boolean>;
}
