import type { Context } from "hono";
import type { z } from "zod";
import { RequestFailure } from "./served-model.js";

/** Reads a request's JSON body by a strict schema. @throws RequestFailure "invalid" naming every key at fault, never a value */
export async function readBody<T>(context: Context, schema: z.ZodType<T>): Promise<T> {
  let body: unknown;
  try {
    body = await context.req.json();
  } catch {
    throw new RequestFailure("invalid", "The body is not JSON.");
  }
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message }) => [...path, message].join(": "));
  throw new RequestFailure("invalid", `${problems.join("; ")}.`);
}
