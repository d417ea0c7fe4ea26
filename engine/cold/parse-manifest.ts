import { crc32c } from "./crc32c.ts";
import { ColdFormatError } from "./format-error.ts";
import type { ColdManifest, Fading, Hidden, ManifestBase } from "./manifest-shape.ts";
import { encodeText } from "./utf8.ts";

/** Reads a value at a place in the manifest, or refuses it by name. */
type Parse<Value> = (value: unknown, at: string) => Value;

/** Parses a manifest; every refusal names the place, what was expected and what is there. */
export function parseManifestJson(text: string): ColdManifest {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new ColdFormatError("expected the manifest to be JSON: it is cut off or damaged");
  }
  return manifest(checkedJson(json, text), "manifest");
}

/** Returns the manifest as it is stored: JSON whose last field is the CRC-32C of the JSON without it. */
export function encodeManifest(value: ColdManifest): string {
  const text = JSON.stringify(value);
  return `${text.slice(0, -1)},"checksum":"${checksumOf(text)}"}`;
}

/** The checksum as `encodeManifest` puts it at the end. */
const CHECKSUM = /,"checksum":"([0-9a-f]{8})"\}$/;

/** Whether the text has its checksum where it is written: then no JSON has to be made again to compare it. */
function isAsWritten(text: string): boolean {
  const found = CHECKSUM.exec(text);
  return found !== null && checksumOf(`${text.slice(0, found.index)}}`) === found[1];
}

/** Without the checksum, once it has been found right; a manifest written by hand has none. */
function checkedJson(json: unknown, text: string): unknown {
  if (typeof json !== "object" || json === null || !("checksum" in json)) return json;
  const { checksum: stored, ...rest } = json;
  if (!isAsWritten(text) && stored !== checksumOf(JSON.stringify(rest)))
    throw new ColdFormatError("expected the manifest intact, got another checksum");
  return rest;
}

function checksumOf(json: string): string {
  return crc32c(encodeText(json)).toString(16).padStart(8, "0");
}

const text: Parse<string> = (value, at) =>
  typeof value === "string" ? value : refuse(value, at, "a string");

const count: Parse<number> = (value, at) =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= 0
    ? value
    : refuse(value, at, "a whole number");

const sequence: Parse<string> = (value, at) =>
  typeof value === "string" && /^\d{1,20}$/.test(value) ? value : refuse(value, at, "a decimal string");

const time: Parse<string> = (value, at) =>
  typeof value === "string" && !Number.isNaN(Date.parse(value)) ? value : refuse(value, at, "a time");

const checksum: Parse<string> = (value, at) =>
  typeof value === "string" && /^[0-9a-f]{8}$/.test(value)
    ? value
    : refuse(value, at, "eight hexadecimal digits");

const format: Parse<2> = (value, at) =>
  value === 2 ? 2 : refuse(value, at, "2, the only format this version reads");

function listOf<Item>(item: Parse<Item>): Parse<readonly Item[]> {
  return (value, at) =>
    Array.isArray(value)
      ? value.map((entry: unknown, i) => item(entry, `${at}[${i}]`))
      : refuse(value, at, "a list");
}

function nullable<Value>(parse: Parse<Value>): Parse<Value | null> {
  return (value, at) => (value === null ? null : parse(value, at));
}

function fieldsOf(value: unknown, at: string): <Value>(name: string, parse: Parse<Value>) => Value {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return refuse(value, at, "an object");
  return (name, parse) => {
    const own: unknown = Object.hasOwn(value, name) ? Reflect.get(value, name) : undefined;
    return parse(own, `${at}.${name}`);
  };
}

const fence: Parse<ColdManifest["watermark"]> = (value, at) => {
  const field = fieldsOf(value, at);
  return { epoch: field("epoch", count), sequence: field("sequence", sequence) };
};

const hidden: Parse<Hidden> = (value, at) => {
  const field = fieldsOf(value, at);
  return { after: field("after", fence), since: field("since", time) };
};

const fading: Parse<Fading> = (value, at) => {
  const field = fieldsOf(value, at);
  return { after: field("after", fence), until: field("until", time) };
};

/** Reads a field that may be missing, and is then missing in what was read. */
function optional<Name extends string, Value>(
  field: ReturnType<typeof fieldsOf>,
  name: Name,
  parse: Parse<Value>,
): { readonly [Key in Name]?: Value } {
  const value = field(name, (given, at) => (given === undefined ? null : parse(given, at)));
  const found: { [Key in Name]?: Value } = {};
  if (value !== null) found[name] = value;
  return found;
}

const segment: Parse<ColdManifest["segments"][number]> = (value, at) => {
  const field = fieldsOf(value, at);
  return {
    key: field("key", text),
    bytes: field("bytes", count),
    passages: field("passages", count),
    documents: field("documents", count),
    checksum: field("checksum", checksum),
    tombstones: field("tombstones", listOf(text)),
    ...optional(field, "cache_seconds", count),
    ...optional(field, "hidden", hidden),
  };
};

const root: Parse<ManifestBase["root"]> = (value, at) => {
  const field = fieldsOf(value, at);
  return { bytes: field("bytes", count), checksum: field("checksum", checksum) };
};

const volumes: Parse<ManifestBase["volumes"]> = (value, at) => {
  const field = fieldsOf(value, at);
  return {
    codes: field("codes", count),
    rows: field("rows", count),
    postings: field("postings", count),
    columns: field("columns", count),
  };
};

const base: Parse<ManifestBase> = (value, at) => {
  const field = fieldsOf(value, at);
  return {
    key: field("key", text),
    root: field("root", root),
    volumes: field("volumes", volumes),
    passages: field("passages", count),
    documents: field("documents", count),
    tombstones: field("tombstones", text),
    dead: field("dead", count),
    ...optional(field, "cache_seconds", count),
    ...optional(field, "hidden", hidden),
  };
};

const statistics: Parse<NonNullable<ColdManifest["statistics"]>> = (value, at) => {
  const field = fieldsOf(value, at);
  return { version: field("version", text), key: field("key", text), checksum: field("checksum", text) };
};

const garbage: Parse<ColdManifest["garbage"][number]> = (value, at) => {
  const field = fieldsOf(value, at);
  return {
    key: field("key", text),
    since: field("since", time),
    ...optional(field, "cache_seconds", count),
    ...optional(field, "after", fence),
  };
};

/** Refuses a field that it does not know: a name may be damaged too, the checksum's among them. */
const manifest: Parse<ColdManifest> = (value, at) => {
  const known = new Set<string>();
  const read = fieldsOf(value, at);
  const field: typeof read = (name, parse) => {
    known.add(name);
    return read(name, parse);
  };
  const parsed: ColdManifest = {
    format: field("format", format),
    generation: field("generation", count),
    model: field("model", text),
    dimensions: field("dimensions", count),
    watermark: field("watermark", fence),
    watermark_at: field("watermark_at", time),
    ...optional(field, "whole_at", sequence),
    statistics: field("statistics", nullable(statistics)),
    base: field("base", nullable(base)),
    segments: field("segments", listOf(segment)),
    garbage: field("garbage", listOf(garbage)),
    ...optional(field, "fading", listOf(fading)),
  };
  const unknown = Object.keys(Object(value)).find((name) => !known.has(name));
  return unknown === undefined ? parsed : refuse(unknown, at, "without other fields");
};

function refuse(value: unknown, at: string, expected: string): never {
  const got = JSON.stringify(value) ?? "nothing";
  throw new ColdFormatError(`expected ${at} to be ${expected}, got ${got.slice(0, 60)}`);
}
