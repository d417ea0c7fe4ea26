import { describe, expect, it } from "vitest";
import { createMetrics } from "./metrics.ts";

describe("the primary's metrics", () => {
  it("name what every process has as every other service does, what only a primary has by its kind", async () => {
    const text = await createMetrics().render(null);
    expect(text).toContain("\nkattegat_process_cpu_seconds_total ");
    expect(text).not.toContain("kattegat_primary_process_");
    expect(text).toContain("kattegat_primary_writes_total");
  });
});
