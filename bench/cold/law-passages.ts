/** The provisions of Danish law as cold passages, each a document of its own. */
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { constants, createZstdDecompress } from "node:zlib";
import type { ColdPassage } from "@kattegat/engine/cold/segment.ts";
import { passageVector } from "@kattegat/engine/lexical/bm25.ts";
import { analyze } from "@kattegat/engine/text/analyzer.ts";
import { toCanonical } from "@kattegat/engine/vector/canonical.ts";
import { z } from "zod";

const actSchema = z.object({
  id: z.string(),
  title: z.string(),
  kind: z.string(),
  issued: z.string().nullish(),
  url: z.string().nullish(),
  provisions: z.array(z.object({ ref: z.string(), text: z.string() })),
});

export interface LawPassage {
  readonly passage: ColdPassage;
  /** As the embedder gave it, before it was rounded. */
  readonly float: Float32Array<ArrayBuffer>;
}

/** Yields `limit` provisions at most; a document's id is its number, which the truth is told by. */
export async function* lawPassages(
  path: string,
  { embed, limit }: { readonly embed: (text: string) => Float32Array; readonly limit: number },
): AsyncGenerator<LawPassage> {
  const unzip = createZstdDecompress({ params: { [constants.ZSTD_d_windowLogMax]: 27 } });
  let number = 0;
  for await (const line of createInterface({ input: createReadStream(path).pipe(unzip) })) {
    const { id, title, kind, issued, url, provisions } = actSchema.parse(JSON.parse(line));
    for (const { ref, text } of provisions) {
      if (number === limit) return;
      const float = Float32Array.from(embed(text));
      yield {
        float,
        passage: {
          documentId: String(number),
          ordinal: 1,
          version: "1",
          epoch: 1,
          residency: "global",
          collection: "default",
          title,
          text,
          lang: "da",
          publishedAt: null,
          metadata: { act: id, kind, ref, issued: issued ?? null, url: url ?? null },
          dense: toCanonical(float),
          sparse: passageVector(analyze(text, "da")),
        },
      };
      number += 1;
    }
  }
}
