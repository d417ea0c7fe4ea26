/** The refusal of methods that a path does not have. */
import { KattegatError } from "@kattegat/protocol/errors.ts";
import type { Hono } from "hono";

/** Registered after the path's own routes, so that it hears only of the other methods. */
export function allowOnly(app: Hono, path: string, methods: readonly string[]): void {
  app.all(path, (context) => {
    const allowed = methods.includes("GET") ? ["HEAD", ...methods] : methods;
    context.header("allow", allowed.join(", "));
    throw new KattegatError(
      "method_not_allowed",
      `Expected ${allowed.join(", ")}; ${context.req.method} came.`,
    );
  });
}
