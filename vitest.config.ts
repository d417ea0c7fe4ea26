/** Declares how the tests run. */
import { readFileSync } from "node:fs";

import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";

/** The youngest date that the pinned workerd accepts. */
const COMPATIBILITY_DATE = "2026-08-06";

/** A test may start Postgres, workerd or servers; a busy machine needs ten times as long as an idle one, a hang is longer. */
const TEST_MS_MAX = 90_000;

/** Each Node worker holds an engine, some a Postgres too: more than two at once starve each other on a small machine. */
const WORKERS_MAX = 2;

const WORKERD_TESTS = ["edge/**/*.worker.test.ts"];
const QDRANT_TESTS = ["regional/contract/**/*.contract.test.ts"];
const NEVER = ["**/node_modules/**", "**/.kattegat/**"];

const times = { testTimeout: TEST_MS_MAX, hookTimeout: 2 * TEST_MS_MAX, teardownTimeout: TEST_MS_MAX };

/**
 * Vite would instantiate an imported `.wasm` file; workerd, like Cloudflare, hands the compiled module to the importer.
 * workerd compiles no bytes at run time, except through the binding that the test runner brings for itself.
 */
const compiledWasm = {
  name: "kattegat:compiled-wasm",
  enforce: "pre" as const,
  load(id: string) {
    if (!id.endsWith(".wasm")) return null;
    const bytes = JSON.stringify([...readFileSync(id)]);
    return `import { env } from "cloudflare:workers";
export default env.__VITEST_POOL_WORKERS_UNSAFE_EVAL.newWasmModule(new Uint8Array(${bytes}));`;
  },
};

export default defineConfig({
  test: {
    maxWorkers: WORKERS_MAX,
    projects: [
      {
        test: {
          name: "node",
          pool: "forks",
          include: ["**/*.test.ts"],
          exclude: [...NEVER, ...WORKERD_TESTS, ...QDRANT_TESTS],
          ...times,
        },
      },
      {
        plugins: [
          compiledWasm,
          cloudflareTest({
            miniflare: {
              compatibilityDate: COMPATIBILITY_DATE,
              compatibilityFlags: ["nodejs_compat"],
              r2Buckets: ["COLD"],
            },
          }),
        ],
        test: { name: "workerd", include: WORKERD_TESTS, exclude: NEVER, ...times },
      },
      {
        test: {
          name: "qdrant",
          pool: "forks",
          include: QDRANT_TESTS,
          exclude: NEVER,
          fileParallelism: false,
          ...times,
        },
      },
    ],
  },
});
