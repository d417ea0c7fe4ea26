/** Text that every store and every JSON parser of the network takes. */
import { z } from "zod";

/** Metadata of a legal document is a few levels deep; more would only exhaust the stack of recursive parsers. */
const JSON_DEPTH_MAX = 64;

/** Postgres stores no NUL, Qdrant's parser refuses half of a surrogate pair. */
export function isStorable(text: string): boolean {
  return text.isWellFormed() && !text.includes("\u0000");
}

export const storableTextSchema = z.string().refine(isStorable, "expected well-formed Unicode without NUL");

/** What no schema may meet: nesting that recursion cannot follow, text that cannot be stored; null for neither. */
export function faultOf(root: unknown): string | null {
  let level: unknown[] = [root];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > JSON_DEPTH_MAX) return `it is nested more than ${JSON_DEPTH_MAX} levels deep`;
    const next: unknown[] = [];
    for (const value of level) {
      if (typeof value === "string" && !isStorable(value))
        return "a text holds NUL or half of a surrogate pair";
      if (typeof value !== "object" || value === null) continue;
      if (!Array.isArray(value) && !Object.keys(value).every(isStorable))
        return "a key holds NUL or half of a surrogate pair";
      for (const child of Object.values(value))
        if (typeof child === "string" || typeof child === "object") next.push(child);
    }
    level = next;
  }
  return null;
}
