import { keyOf } from "@kattegat/engine/digests/copy-digest.ts";
import { copiesResponseSchema, encodeKey, type CopiesResponse } from "@kattegat/protocol/digests.ts";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startRegional, type RegionalUnderTest } from "../regional.fixture.ts";
import { MODEL, put } from "../site.fixture.ts";

let regional: RegionalUnderTest;
beforeAll(async () => {
  regional = await startRegional();
});
afterAll(() => regional?.stop());

const DOCUMENTS = 20;
const PASSAGES = 130;

it("tells of as many copies as an answer may read, each whole, and which are left (I25)", async () => {
  const ids = Array.from({ length: DOCUMENTS }, (_, number) => `large-${number}`);
  const texts = Array.from({ length: PASSAGES }, (_, number) => `stykke ${number}`);
  for (const id of ids)
    expect((await regional.apply([put({ id, sequence: regional.next(), texts })])).status).toBe(200);
  let left: readonly string[] = ids.map((id) => encodeKey(keyOf(id)));
  const found: CopiesResponse["copies"][number][] = [];
  const answers: number[] = [];
  while (left.length > 0) {
    const documents = ids.filter((id) => left.includes(encodeKey(keyOf(id))));
    const { body } = await regional.site.post("/internal/digests/copies", {
      model: MODEL,
      keys: [],
      documents,
    });
    const answer = copiesResponseSchema.parse(body);
    expect(answer.left.length).toBeLessThan(left.length);
    found.push(...answer.copies);
    answers.push(answer.copies.length);
    ({ left } = answer);
  }
  // Sixteen have 2,080 passages, more than an answer reads.
  expect(answers).toEqual([16, 4]);
  expect(found.map(({ document_id: id }) => id).toSorted()).toEqual(ids.toSorted());
  expect(new Set(found.map(({ passages, damaged }) => `${passages} ${damaged}`))).toEqual(
    new Set([`${PASSAGES} 0`]),
  );
}, 60_000);
