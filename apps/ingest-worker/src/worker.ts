import { errorFields } from "@emb/query";
import { backOffMs } from "./back-off.js";
import { createBell, type Bell } from "./bell.js";
import type { Duty, WorkerContext } from "./duty.js";
import { createLagDuty } from "./lag-duty.js";
import { createOpenModels } from "./open-models.js";
import { createFreshnessDuty } from "./freshness-duty.js";
import { createRunsDuty } from "./runs-duty.js";
import { createWakeDuty } from "./wake-duty.js";
import { createWatchDuty } from "./watch-duty.js";

export type WorkerSetup = Omit<WorkerContext, "models" | "onProgress" | "wake"> &
  Partial<Pick<WorkerContext, "onProgress">>;

/** Everything that a worker does. Each duty has a file of its own. */
const DUTIES: readonly ((context: WorkerContext) => Duty)[] = [
  createRunsDuty,
  createFreshnessDuty,
  createWatchDuty,
  createWakeDuty,
  createLagDuty,
];

/** Does every duty, side by side, until told to stop; never ends otherwise. Ends within the time that `signal` allows, and rejects never. */
export async function work(setup: WorkerSetup): Promise<void> {
  const models = createOpenModels(setup);
  const bells = DUTIES.map(createBell);
  const wake = () => bells.forEach((bell) => bell.ring());
  const context: WorkerContext = { onProgress: () => {}, ...setup, models, wake };
  try {
    await Promise.all(DUTIES.map((create, place) => attend(context, create(context), bells[place]!)));
  } finally {
    await models.close();
  }
}

/** One duty, again and again. What it throws is logged, and it is left alone for a while. */
async function attend({ stopping, log }: WorkerContext, duty: Duty, bell: Bell): Promise<void> {
  let failures = 0;
  while (!stopping.aborted) {
    try {
      const busy = await duty.step();
      failures = 0;
      if (!busy) await bell.wait(duty.lookMs, stopping);
    } catch (error) {
      if (stopping.aborted) return;
      failures++;
      const waitMs = backOffMs(failures, Math.random());
      log.error({
        event: "duty.failed",
        duty: duty.name,
        failures,
        retry_in_ms: Math.round(waitMs),
        ...errorFields(error),
      });
      await bell.wait(waitMs, stopping);
    }
  }
}
