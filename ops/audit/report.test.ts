import { describe, expect, it } from "vitest";
import { cannotSee, type SiteReport } from "./report.ts";

function bucketOf(opened: number | null): Pick<SiteReport, "objects"> {
  return { objects: { count: 3, bytes: 3_000, opened, stray: [] } };
}

describe("what an audit cannot see", () => {
  it("are the contents of an archive's objects, unless some were opened: whatever was asked, a site that was left out or did not answer opened none", () => {
    const unread = [[], [{ objects: null }], [bucketOf(null)]];
    for (const sites of unread) {
      expect(cannotSee(sites).join()).toContain("their names are read");
      expect(cannotSee(sites).join()).not.toContain("was opened");
    }
    const read = cannotSee([{ objects: null }, bucketOf(null), bucketOf(3)]).join();
    expect(read).toContain("only the newest object of each name was opened");
    expect(read).not.toContain("their names are read");
  });
});
