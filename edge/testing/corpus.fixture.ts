/** A few short laws, as every kind of site holds them. */
import { createHashedEmbedder } from "@kattegat/engine/embedding/hashed.ts";
import { passageVector, type SparseVector } from "@kattegat/engine/lexical/bm25.ts";
import { StatisticsCounter } from "@kattegat/engine/lexical/statistics.ts";
import { analyze } from "@kattegat/engine/text/analyzer.ts";

export interface Law {
  readonly id: string;
  readonly text: string;
  readonly residency: string;
  readonly tier: "ultra-hot" | "hot" | "warm" | "cold";
  readonly version: string;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly dense: Float32Array;
  readonly sparse: SparseVector;
}

export const DIMENSIONS = 384;
const embedder = createHashedEmbedder({ dimensions: DIMENSIONS });

export function law(
  id: string,
  text: string,
  rest: Partial<Pick<Law, "residency" | "tier" | "version" | "metadata" | "dense">> = {},
): Law {
  return {
    id,
    text,
    residency: "global",
    tier: "cold",
    version: "1",
    metadata: {},
    dense: embedder.embedSync(text),
    ...rest,
    sparse: passageVector(analyze(text, "da")),
  };
}

export function statisticsOf(laws: readonly Law[], version: string): Uint8Array {
  const counter = new StatisticsCounter();
  for (const { sparse } of laws) counter.add(sparse);
  return counter.encode(version);
}
