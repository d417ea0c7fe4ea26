import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ROOT } from "./settings.ts";

interface Invariant {
  readonly id: string;
  readonly holders: readonly string[];
}

/** The rows of the first table; the table of gaps has two columns. */
const invariants: readonly Invariant[] = readFileSync(join(ROOT, "protocol", "SPEC.md"), "utf8")
  .split("\n")
  .flatMap((line): Invariant[] => {
    const [, id, , heldBy] = /^\| (I\d+) \| ([^|]*) \| ([^|]*) \|$/.exec(line) ?? [];
    return id === undefined
      ? []
      : [{ id, holders: [...(heldBy ?? "").matchAll(/`([^`]+)`/g)].map(([, file]) => file ?? "") }];
  });

/** The invariants that titles in the file cite, as `(I3, I8)` at the end of a title. */
function citedIn(file: string): ReadonlySet<string> {
  const source = readFileSync(join(ROOT, file), "utf8");
  const citations = source.matchAll(/\((I\d+(?:, I\d+)*)\)["`]/g);
  return new Set([...citations].flatMap(([, ids]) => (ids ?? "").split(", ")));
}

describe("the specification", () => {
  it("numbers its invariants without gaps", () => {
    expect(invariants.length).toBeGreaterThan(0);
    expect(invariants.map(({ id }) => id)).toEqual(invariants.map((_, index) => `I${index + 1}`));
  });

  it.each(invariants)("names for $id only tests whose titles cite it", ({ id, holders }) => {
    expect(holders).not.toEqual([]);
    expect(holders.filter((file) => !citedIn(file).has(id))).toEqual([]);
  });

  it("has every invariant that a title cites", () => {
    const known = new Set(invariants.map(({ id }) => id));
    const files = globSync("**/*.test.ts", { cwd: ROOT, exclude: (name) => name === "node_modules" });
    const strangers = files.flatMap((file) =>
      [...citedIn(file)].filter((id) => !known.has(id)).map((id) => `${file}: ${id}`),
    );
    expect(files.length).toBeGreaterThan(50);
    expect(strangers).toEqual([]);
  });
});
