import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import { surviveLostReader } from "./terminal.ts";

describe("an output whose reader goes away", () => {
  it("does not end the process", () => {
    const output = new PassThrough();
    surviveLostReader(output);
    expect(() => output.emit("error", Object.assign(new Error("gone"), { code: "EPIPE" }))).not.toThrow();
  });

  it("still fails for any other reason", () => {
    const output = new PassThrough();
    surviveLostReader(output);
    expect(() => output.emit("error", new Error("no space left"))).toThrow("no space left");
  });
});
