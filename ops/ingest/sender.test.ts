import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { sendDocuments, type OutgoingDocument } from "./sender.ts";

const BATCH_DOCUMENTS = 200;

describe("sendDocuments", () => {
  it("lets a batch leave before it reads the next one from a source that never waits", async () => {
    let read = 0;
    const readWhenSent: number[] = [];
    async function* source(): AsyncGenerator<OutgoingDocument, void, undefined> {
      for (read = 0; read < 3 * BATCH_DOCUMENTS; read += 1)
        yield { line: read + 1, id: `d-${read}`, passages: 1, json: "{}" };
    }
    await sendDocuments(source(), {
      client: {
        async *batch(lines) {
          // A socket writes in a turn of the event loop, never between two microtasks.
          await nextTurn();
          readWhenSent.push(read);
          for (const [index] of lines.entries()) yield { line: index + 1, id: null, status: 200 };
        },
      },
      events: { acknowledged: () => undefined, refused: () => undefined, waiting: () => undefined },
    });
    expect(readWhenSent[0]).toBeLessThan(2 * BATCH_DOCUMENTS);
  });
});
