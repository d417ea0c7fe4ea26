import { beforeAll, describe, expect, it } from "vitest";
import { ColdFormatError } from "../../cold/format-error.ts";
import { crc32c } from "../../cold/crc32c.ts";
import {
  type Artefact,
  type ArtefactContent,
  encodeArtefact,
  isIntact,
  openHead,
  rowBytes,
} from "./artefact.ts";
import { createResidentLearnedEmbedder } from "./embedder.ts";
import { articlesIn, LEARN_MODULE, trainSmall } from "./learned.fixture.ts";
import { writeRow } from "./rows.ts";
import { WordIndex } from "./word-index.ts";
import { wordKey } from "./word-key.ts";

const texts = articlesIn(["dan", "eng"]).map(({ text }) => text);
let artefact: Artefact;
beforeAll(async () => {
  artefact = await trainSmall(texts, { headBytesMax: 14_000, gramsMax: 64 });
});

/** Words with given keys; row r is r + 1 in its first component. */
function contentOf(keys: readonly { readonly hash: number; readonly check: number }[]): ArtefactContent {
  const rows = new Uint8Array(keys.length * rowBytes(8));
  keys.forEach((_, at) => writeRow(rows, at, Float64Array.of(at + 1, 0, 0, 0, 0, 0, 0, 0)));
  return {
    dimensions: 8,
    passages: 10,
    sampled: 10,
    seed: 1,
    classes: ["global"],
    unknownLength: 1,
    hashes: Uint32Array.from(keys, ({ hash }) => hash),
    checks: Uint16Array.from(keys, ({ check }) => check),
    rows,
    gramHashes: Uint32Array.of(3, 5),
    gramRows: new Uint8Array(2 * rowBytes(8)),
  };
}

describe("the artefact of a learned embedding", () => {
  it("says what it holds, with a range and a checksum for each page of rows", () => {
    const head = openHead(artefact.head);
    expect(head.about.model).toBe(artefact.model);
    expect(head.about.dimensions).toBe(64);
    expect(head.about.resident_words).toBeLessThan(head.about.words);
    expect(artefact.head.byteLength).toBeLessThanOrEqual(14_000);
    let bytes = 0;
    for (let number = 0; number < head.pages; number += 1) {
      const page = head.page(number);
      expect(page.offset).toBe(bytes);
      expect(isIntact(page, artefact.rows.subarray(page.offset, page.offset + page.length))).toBe(true);
      bytes += page.length;
    }
    expect(bytes).toBe(artefact.rows.byteLength);
    expect(() => head.page(head.pages)).toThrow("expected a page below");
  });

  it("opens from bytes that begin anywhere in memory", () => {
    const shifted = new Uint8Array(artefact.head.byteLength + 3);
    shifted.set(artefact.head, 3);
    expect(openHead(shifted.subarray(3)).hashes).toEqual(openHead(artefact.head).hashes);
  });

  it("tells two words with one hash apart by their check, knows no third", () => {
    const word = wordKey("ret");
    const other = { hash: word.hash, check: word.check ^ 1 };
    const ranks = (keys: readonly { readonly hash: number; readonly check: number }[]): number =>
      new WordIndex(openHead(encodeArtefact(contentOf(keys)).head)).rankOf("ret");
    expect(ranks([other, word])).toBe(1);
    expect(ranks([word, other])).toBe(0);
    expect(ranks([other])).toBe(-1);
    expect(ranks([])).toBe(-1);
  });

  it("takes its name from every byte, so that other rows are another model", () => {
    const keys = [wordKey("ret"), wordKey("pligt")];
    const { model } = encodeArtefact(contentOf(keys));
    expect(encodeArtefact(contentOf(keys)).model).toBe(model);
    const changed = contentOf(keys);
    changed.rows[changed.rows.length - 1] = 1;
    expect(encodeArtefact(changed).model).not.toBe(model);
    expect(encodeArtefact(changed, { headBytesMax: 0 }).model).not.toBe(
      encodeArtefact(contentOf(keys), { headBytesMax: 0 }).model,
    );
    expect(encodeArtefact({ ...contentOf(keys), unknownLength: 2 }).model).not.toBe(model);
  });

  it("refuses a head with any bit turned, cut off, or of another version", () => {
    const { head } = artefact;
    for (let at = 0; at < head.byteLength; at += 1 + (at % 13)) {
      const damaged = head.slice();
      damaged[at] = (damaged[at] ?? 0) ^ (1 << (at % 8));
      let same = false;
      try {
        // Padding between sections is read by no one.
        same = JSON.stringify(openHead(damaged).about) === JSON.stringify(openHead(head).about);
      } catch (error) {
        expect(error).toBeInstanceOf(ColdFormatError);
        continue;
      }
      expect(same && crc32c(damaged) !== crc32c(head)).toBe(true);
      expect(openHead(damaged).hashes).toEqual(openHead(head).hashes);
    }
    expect(() => openHead(head.subarray(0, head.byteLength - 1))).toThrow(ColdFormatError);
    const newer = head.slice();
    newer[4] = 2;
    expect(() => openHead(newer)).toThrow("expected version 1 of KLEH, got 2: written by another release");
  });

  it("refuses rows that are damaged or of another artefact", async () => {
    const { head, rows } = artefact;
    const damaged = rows.slice();
    damaged[100] = (damaged[100] ?? 0) ^ 4;
    expect(() => createResidentLearnedEmbedder({ head, rows: damaged, module: LEARN_MODULE })).toThrow(
      "expected page 0 of rows intact",
    );
    expect(() =>
      createResidentLearnedEmbedder({ head, rows: rows.subarray(1), module: LEARN_MODULE }),
    ).toThrow("bytes of rows");
    const other = await trainSmall(texts, { headBytesMax: 14_000, gramsMax: 64, seed: 9 });
    expect(() => createResidentLearnedEmbedder({ head, rows: other.rows, module: LEARN_MODULE })).toThrow(
      ColdFormatError,
    );
  });
});
