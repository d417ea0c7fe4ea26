import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { hostCommands, type CommandHost } from "./command.fixture.ts";

/** Each test starts processes that load the whole command; a machine under load takes seconds for each. */
const RUN_MS_MAX = 120_000;
/** Three batches of the sender's size. */
const DOCUMENTS = 600;
const BATCH = 200;

let host: CommandHost;
beforeAll(async () => {
  host = await hostCommands();
});
afterAll(() => host?.close());
beforeEach(() => {
  host.stored.length = 0;
  host.turnedAway = 0;
  host.takes = () => true;
  host.refuses = () => false;
});

function writeSource(name: string): readonly string[] {
  const ids = Array.from({ length: DOCUMENTS }, (_, index) => `${name}-${index + 1}`);
  const lines = ids.map((id) => JSON.stringify({ id, title: "Lov", text: "Tekst.", residency: "global" }));
  writeFileSync(join(host.data, `${name}.ndjson`), `${lines.join("\n")}\n`);
  return ids;
}

const linesOf = (name: string): string[] =>
  readFileSync(join(host.data, name), "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line).id);

describe("ingest", () => {
  it(
    "puts every document in, reports what was refused, begins anew when it is run again",
    async () => {
      const ids = writeSource("whole");
      host.refuses = (id) => id === "whole-7";
      const args = ["ingest", "whole.ndjson", "--json", "--errors", "whole-errors.ndjson"];
      const { code, stdout } = await host.run(args);
      expect(code).toBe(1);
      expect(JSON.parse(stdout)).toMatchObject({
        complete: true,
        documents: DOCUMENTS - 1,
        refused: 1,
        refused_lines: [{ line: 7, id: "whole-7", code: "bad_request" }],
      });
      expect(new Set(host.stored)).toEqual(new Set(ids.filter((id) => id !== "whole-7")));
      expect(linesOf("whole-errors.ndjson")).toEqual(["whole-7"]);
      host.refuses = () => false;
      const again = await host.run(args);
      expect([again.code, JSON.parse(again.stdout)]).toMatchObject([
        0,
        { resumed_after_line: 0, documents: DOCUMENTS },
      ]);
      expect(linesOf("whole-errors.ndjson")).toEqual([]);
    },
    RUN_MS_MAX,
  );

  it(
    "says when it is interrupted how far it came, and continues there with the refusals of both runs",
    async () => {
      const ids = writeSource("stopped");
      host.refuses = (id) => id === "stopped-7" || id === "stopped-407";
      host.takes = (firstId) => firstId === "stopped-1";
      const args = ["ingest", "stopped.ndjson", "--json", "--errors", "stopped-errors.ndjson"];
      const first = host.start(args);
      await expect.poll(() => host.turnedAway, { timeout: RUN_MS_MAX }).toBeGreaterThan(2);
      first.child.kill("SIGINT");
      const stopped = await first.ended;
      expect(stopped.code).toBe(1);
      expect(JSON.parse(stopped.stdout)).toMatchObject({
        complete: false,
        documents: BATCH - 1,
        refused: 1,
      });
      expect(linesOf("stopped-errors.ndjson")).toEqual(["stopped-7"]);
      host.takes = () => true;
      const second = await host.run(args);
      expect(second.code).toBe(1);
      expect(JSON.parse(second.stdout)).toMatchObject({
        complete: true,
        resumed_after_line: BATCH,
        documents: DOCUMENTS - BATCH - 1,
        refused: 1,
      });
      expect(host.stored.toSorted()).toEqual(
        ids.filter((id) => !["stopped-7", "stopped-407"].includes(id)).toSorted(),
      );
      expect(linesOf("stopped-errors.ndjson")).toEqual(["stopped-7", "stopped-407"]);
    },
    2 * RUN_MS_MAX,
  );

  it(
    "ends when it is interrupted while it waits for the standard input",
    async () => {
      const { child, ended } = host.start(["ingest", "-", "--json"], { isInputOpen: true });
      const lines = Array.from({ length: BATCH + 1 }, (_, index) =>
        JSON.stringify({ id: `open-${index}`, title: "A", text: "A", residency: "global" }),
      );
      child.stdin?.write(`${lines.join("\n")}\n`);
      await expect.poll(() => host.stored.length, { timeout: RUN_MS_MAX }).toBe(BATCH);
      child.kill("SIGTERM");
      const { code, stdout } = await ended;
      expect([code, JSON.parse(stdout)]).toMatchObject([1, { complete: false, documents: BATCH }]);
    },
    RUN_MS_MAX,
  );

  it(
    "takes lines from the standard input",
    async () => {
      const input = `${JSON.stringify({ id: "in", title: "A", text: "A", residency: "global" })}\n`;
      const { code, stdout } = await host.run(["ingest", "-", "--json"], { input });
      expect([code, JSON.parse(stdout)]).toMatchObject([0, { complete: true, documents: 1 }]);
      expect(host.stored).toEqual(["in"]);
    },
    RUN_MS_MAX,
  );
});
