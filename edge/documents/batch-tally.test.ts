import { describe, expect, it } from "vitest";
import { createBatchTally } from "./batch-tally.ts";

const encoder = new TextEncoder();

/** A body that comes in these parts; then it ends, or breaks. */
function bodyOf(parts: readonly string[], { breaks = false } = {}): ReadableStream<Uint8Array> {
  const left = [...parts];
  return new ReadableStream({
    pull(controller) {
      const part = left.shift();
      if (part !== undefined) controller.enqueue(encoder.encode(part));
      else if (breaks) controller.error(new Error("the connection is lost"));
      else controller.close();
    },
  });
}

const result = (line: number): string =>
  `${JSON.stringify({ line, id: `d${line}`, status: 201, sequence: "1" })}\n`;

function linesOf(text: string): readonly { line: number; status: number }[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const parsed: { line: number; status: number } = JSON.parse(line);
      return { line: parsed.line, status: parsed.status };
    });
}

describe("a batch's answer", () => {
  it("passes on when every line has its result", async () => {
    const tally = createBatchTally(bodyOf(["{}\n\n{", "}"]));
    expect(await new Response(tally.lines).text()).toBe("{}\n\n{}");
    const whole = result(1) + result(3);
    expect(await new Response(tally.results(bodyOf([whole.slice(0, 10), whole.slice(10)]))).text()).toBe(
      whole,
    );
  });

  it.each([
    ["ends", false],
    ["breaks off", true],
  ])("has a result for every line, also when the primary's own %s early", async (_, breaks) => {
    const tally = createBatchTally(bodyOf(["{}\n \n{}\n{}\n"]));
    await new Response(tally.lines).text();
    const text = await new Response(tally.results(bodyOf([result(1), '{"line":3,"id'], { breaks }))).text();
    expect(linesOf(text)).toEqual([
      { line: 1, status: 201 },
      { line: 3, status: 503 },
      { line: 4, status: 503 },
    ]);
  });

  it("has a result for the lines that the primary did not live to read", async () => {
    const tally = createBatchTally(bodyOf(["{}\n", "{}\n{", "}\n", "\n{}"]));
    const reader = tally.lines.getReader();
    await reader.read();
    await reader.cancel();
    const text = await new Response(tally.results(bodyOf([result(1)], { breaks: true }))).text();
    expect(linesOf(text)).toEqual([
      { line: 1, status: 201 },
      { line: 2, status: 503 },
      { line: 3, status: 503 },
      { line: 5, status: 503 },
    ]);
  });
});
