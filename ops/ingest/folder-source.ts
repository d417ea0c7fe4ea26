/** Source of records: the files of a folder that hold text. */
import { createHash } from "node:crypto";
import { readFileSync, readdirSync, statSync } from "node:fs";
import { basename, extname, join, relative, sep } from "node:path";
import { DOCUMENT_LIMITS } from "@kattegat/protocol/documents.ts";
import { compile } from "html-to-text";
import { lexer } from "marked";
import { cleanId } from "./evaluate.ts";
import { SourceError, type Source, type SourceItem } from "./record.ts";

const FILE_KINDS = new Set([".txt", ".md", ".markdown", ".html", ".htm"]);

/** More files than the network's tiers hold documents. */
const FILES_MAX = 1_000_000;

/** HTML is larger than its text, by this much at most. */
const FILE_BYTES_MAX = 4 * DOCUMENT_LIMITS.textBytesMax;

/** Each file becomes one record: `id` from its path, `title` from its first heading, `text`, `metadata.path`. */
export function openFolder(folder: string): Source {
  const paths = listFiles(folder);
  if (paths.length === 0)
    throw new SourceError(`${folder} holds no file that ends in ${[...FILE_KINDS].join(", ")}.`);
  const digest = createHash("sha256");
  for (const path of paths) {
    const { size, mtimeMs } = statSync(join(folder, path));
    digest.update(`${path}\0${size}\0${mtimeMs}\n`);
  }
  return { name: folder, digest: digest.digest("hex"), items: () => readFiles(folder, paths) };
}

/** One file of a kind that a folder may hold. */
export function openTextFile(path: string): Source {
  const digest = createHash("sha256").update(readFileSync(path)).digest("hex");
  return { name: path, digest, items: () => readFiles(".", [path]) };
}

export function isTextFile(path: string): boolean {
  return FILE_KINDS.has(extname(path).toLowerCase());
}

function listFiles(folder: string): readonly string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile() && isTextFile(entry.name))
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)));
  if (paths.length > FILES_MAX)
    throw new SourceError(`${folder} holds ${paths.length} files; at most ${FILES_MAX} go in at once.`);
  return paths.sort();
}

async function* readFiles(
  folder: string,
  paths: readonly string[],
): AsyncGenerator<SourceItem, void, undefined> {
  for (const [index, path] of paths.entries()) {
    yield fileItem(folder, path, { line: index + 1, position: (index + 1) / paths.length });
  }
}

function fileItem(
  folder: string,
  path: string,
  place: { readonly line: number; readonly position: number },
): SourceItem {
  const id = cleanId(
    path
      .split(sep)
      .join("-")
      .replace(/^[./-]+/, ""),
  );
  const bad = (detail: string): SourceItem => ({
    kind: "bad",
    id,
    code: "bad_request",
    detail: `${path}: ${detail}`,
    ...place,
  });
  let bytes: Buffer;
  try {
    bytes = readFileSync(join(folder, path));
  } catch (cause) {
    return bad(cause instanceof Error ? cause.message : "it cannot be read");
  }
  if (bytes.length > FILE_BYTES_MAX) return bad(`expected at most ${FILE_BYTES_MAX} bytes`);
  let content: string;
  try {
    content = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return bad("expected UTF-8");
  }
  const { title, text } = textOfFile(content, path);
  if (text === "") return bad("the file holds no text");
  return { kind: "record", record: { id, title, text, metadata: { path } }, ...place };
}

/** The title is the first heading, else the first short line, else the file's name. */
export function textOfFile(content: string, path: string): { readonly title: string; readonly text: string } {
  const kind = extname(path).toLowerCase();
  const isHtml = kind === ".html" || kind === ".htm";
  const text = (isHtml ? textOf(content) : content).replaceAll("\r\n", "\n").trim();
  const heading = isHtml
    ? htmlHeading(content)
    : kind === ".txt"
      ? firstLine(text)
      : markdownHeading(content);
  const title = heading ?? basename(path, extname(path));
  return { title: title.slice(0, DOCUMENT_LIMITS.titleCharactersMax), text };
}

const HEADINGS = ["h1", "h2", "h3", "h4", "h5", "h6"].map((selector) => ({
  selector,
  options: { uppercase: false },
}));
// Compiled once: the selectors cost more than a text.
const textOf = compile({
  wordwrap: false,
  limits: { maxInputLength: FILE_BYTES_MAX },
  selectors: [
    ...HEADINGS,
    { selector: "img", format: "skip" },
    { selector: "nav", format: "skip" },
    { selector: "a", options: { ignoreHref: true } },
  ],
});
const headingOf = compile({ wordwrap: false });

function htmlHeading(html: string): string | null {
  const found =
    /<h1\b[^>]*>(.*?)<\/h1>/is.exec(html)?.[1] ?? /<title\b[^>]*>(.*?)<\/title>/is.exec(html)?.[1];
  return found === undefined ? null : emptyToNull(headingOf(found).replaceAll(/\s+/g, " ").trim());
}

function markdownHeading(markdown: string): string | null {
  const heading = lexer(markdown).find((token) => token.type === "heading");
  return heading !== undefined && "text" in heading && typeof heading.text === "string"
    ? emptyToNull(heading.text.trim())
    : null;
}

/** A first line longer than this is a sentence of the text. */
const TITLE_LINE_CHARACTERS_MAX = 200;

function firstLine(text: string): string | null {
  const line = text.split("\n", 1)[0]?.trim() ?? "";
  return line.length <= TITLE_LINE_CHARACTERS_MAX ? emptyToNull(line) : null;
}

function emptyToNull(text: string): string | null {
  return text === "" ? null : text;
}
