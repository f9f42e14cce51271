import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { createProject, ferries, shown, type Project } from "./command.fixture.js";

const DEV = ["dev", "--source", "docs", "--port", "0"];
const urlOf = (stderr: string): string => /listening on (\S+);/.exec(stderr)?.[1] ?? "";

describe("one directory, two processes", () => {
  let project: Project;
  beforeAll(async () => {
    project = await createProject(ferries(3));
  });
  afterAll(() => project.remove());

  it("lets emb dev fill and serve in one process, tells a second one who holds the directory, and opens at once after kill -9", async () => {
    const holder = project.start(DEV);
    await holder.says(/listening on .+\n/);
    expect(shown(await project.emb(["status"]), project)).toEqual({
      exit: 75,
      errors: [
        `EMB_STORE_LOCKED ./.emb is held by the process with pid ${holder.pid}; an embedded database can be opened once at a time`,
      ],
      actions: [
        "Stop that process, or run query and worker in one process with `emb dev`, or set DATABASE_URL to use a PostgreSQL server.",
      ],
      stack: false,
    });
    expect((await holder.kill("SIGKILL")).code).toBeNull();
    expect((await project.emb(["status"])).code).toBe(0);
  });

  it("serves questions over HTTP until it is told to stop, and leaves the directory free", async () => {
    const service = project.start(DEV);
    await service.says(/listening on .+\n/);
    const response = await fetch(`${urlOf(service.stderr())}/v1/query`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ query: "How many sheep does ferry number 1 carry?", top_k: 1 }),
    });
    expect(response.status).toBe(200);
    expect(Answer.parse(await response.json()).results[0]?.document_id).toBe("ferry-0001.md");
    expect((await service.kill("SIGINT")).code).toBe(0);
    expect((await project.emb(["status"])).code).toBe(0);
  });
});

const Answer = z.object({ results: z.array(z.object({ document_id: z.string() })) });
