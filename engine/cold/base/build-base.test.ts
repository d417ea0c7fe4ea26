import { expect, it } from "vitest";
import { testScanner } from "../../vector/scanner.fixture.ts";
import { plainHit } from "./base.fixture.ts";
import { buildBase } from "./build-base.ts";
import { gridOf, passages } from "./dense/dense.fixture.ts";
import { denseHere, type DenseWork } from "./dense/dense-work.ts";

const DIMENSIONS = 16;
/** With texts that are not compressed, a little more than a volume holds. */
const PASSAGES = 9_000;
const TEXT = "§".repeat(4_096);

it("hands out one object of a base after the other, although another thread writes some", async () => {
  const vectors = gridOf(passages(PASSAGES, DIMENSIONS), DIMENSIONS);
  const here = denseHere(vectors, testScanner());
  let isWritten = false;
  const elsewhere: DenseWork = {
    ...here,
    isElsewhere: true,
    async writeCodes(clustering, put) {
      while (!isWritten) await put(0, new Uint8Array(1));
      return await here.writeCodes(clustering, put);
    },
  };
  const keys: string[] = [];
  let storing = 0;
  let storingMost = 0;
  await buildBase(
    {
      vectors,
      sparse: () => ({ indices: Uint32Array.of(1), values: Float32Array.of(1) }),
      text: (number) => ({ ...plainHit(number), title: "", text: TEXT }),
    },
    {
      key: "b",
      model: "m",
      scanner: testScanner(),
      dense: elsewhere,
      deflate: (raw) => raw.slice(),
      async put(key) {
        storing += 1;
        storingMost = Math.max(storingMost, storing);
        await new Promise((resolve) => {
          setTimeout(resolve, 1);
        });
        storing -= 1;
        keys.push(key);
        isWritten ||= key === "b.rows.0";
      },
    },
  );
  expect(storingMost).toBe(1);
  expect(keys.at(-1)).toBe("b.root");
});
