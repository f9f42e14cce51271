import { isDatabaseError } from "./database-error.js";

/** What two transactions meet in: rows that came between, and locks taken in another order. */
const MEETINGS = ["23505", "40P01"];
const MAX_MEETINGS = 5;

/** A fill and a live write that met in one document, or a drop and an index build: what was rolled back is done again, over what the other did. */
export async function overMeetings<T>(write: () => Promise<T>): Promise<T> {
  for (let meetings = 0; ; meetings++) {
    try {
      return await write();
    } catch (error) {
      if (meetings === MAX_MEETINGS || !MEETINGS.some((state) => isDatabaseError(error, state))) throw error;
    }
  }
}
