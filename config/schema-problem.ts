/** Rewrites an issue of the schema library as a problem that says what to write. */
import { z } from "zod";

import type { PathStep, Problem } from "./problem.ts";

type Issue = z.core.$ZodIssue;

/** One problem for each unknown key, otherwise one for the issue. */
export function problemOfIssue(root: z.core.$ZodType, issue: Issue): readonly Problem[] {
  const path = issue.path.map((step): PathStep => (typeof step === "symbol" ? String(step) : step));
  const schema = schemaAt(root, path);
  if (issue.code === "unrecognized_keys") {
    const known = schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
    return issue.keys.map((key) => unknownKey([...path, key], key, known));
  }
  if (issue.code === "invalid_key") {
    const record = schemaAt(root, path.slice(0, -1));
    const inner = record === undefined ? undefined : unwrap(record);
    const hint = hintOf(inner instanceof z.ZodRecord ? inner.keyType : undefined);
    return [
      {
        path,
        atKey: true,
        expected: hint.expected ?? issue.message,
        received: path.at(-1),
        write: hint.write(undefined),
      },
    ];
  }
  const hint = hintOf(schema);
  const name = path.at(-1);
  if (name === undefined) {
    return [
      {
        path,
        expected: hint.expected ?? issue.message,
        received: issue.input,
        write: "these keys; a copy of the network file that comes with Kattegat is a good start",
      },
    ];
  }
  return [
    {
      path,
      expected: hint.expected ?? issue.message,
      received: issue.input,
      write: hint.write(typeof name === "string" ? name : undefined),
    },
  ];
}

function unknownKey(path: readonly PathStep[], key: string, known: readonly string[]): Problem {
  const near = known.find(
    (candidate) =>
      (key.length > 2 && (candidate.startsWith(key) || key.startsWith(candidate))) ||
      editDistance(candidate, key) <= Math.max(1, Math.floor(key.length / 3)),
  );
  return {
    path,
    atKey: true,
    expected: `one of the keys ${known.join(", ")}`,
    received: key,
    write: near === undefined ? "nothing: remove it" : `${near} instead, if that is meant`,
  };
}

interface Hint {
  readonly expected: string | undefined;
  readonly write: (name: string | undefined) => string;
}

/** The description and the first example that the schema declares of itself. */
function hintOf(schema: z.core.$ZodType | undefined): Hint {
  const meta = schema === undefined ? undefined : z.globalRegistry.get(schema);
  const inner = schema === undefined ? undefined : unwrap(schema);
  const described =
    meta?.description === undefined && inner !== undefined ? z.globalRegistry.get(inner) : meta;
  const values = inner instanceof z.ZodEnum ? inner.options : undefined;
  const description = described?.description;
  const expected = values === undefined ? description : `${description ?? "a value"}: ${values.join(", ")}`;
  const example = firstExample(described) ?? (inner instanceof z.ZodObject ? exampleOf(inner) : undefined);
  return {
    expected:
      expected ??
      (inner instanceof z.ZodObject ? `the keys ${Object.keys(inner.shape).join(", ")}` : undefined),
    write: (name) => {
      if (example === undefined)
        return name === undefined
          ? "what the published schema describes"
          : `${name} as the published schema describes it`;
      return name === undefined ? flow(example) : `${name}: ${flow(example)}`;
    },
  };
}

/** The registry leaves the type of an example open. */
function firstExample(meta: Readonly<Record<string, unknown>> | undefined): unknown {
  const examples = meta?.["examples"];
  return Array.isArray(examples) ? examples[0] : undefined;
}

function exampleOf(schema: z.ZodObject): unknown {
  const entries = Object.entries(schema.shape).flatMap(([key, value]) => {
    if (value instanceof z.ZodOptional) return [];
    const example: unknown =
      firstExample(z.globalRegistry.get(value)) ??
      (value instanceof z.ZodObject ? exampleOf(value) : undefined);
    return example === undefined ? [] : [[key, example] as const];
  });
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

function schemaAt(root: z.core.$ZodType, path: readonly PathStep[]): z.core.$ZodType | undefined {
  let schema: z.core.$ZodType | undefined = root;
  for (const step of path) {
    const inner: z.core.$ZodType | undefined = schema === undefined ? undefined : unwrap(schema);
    if (inner instanceof z.ZodObject) schema = inner.shape[String(step)];
    else if (inner instanceof z.ZodArray) schema = inner.element;
    else if (inner instanceof z.ZodRecord) schema = inner.valueType;
    else return undefined;
  }
  return schema;
}

function unwrap(schema: z.core.$ZodType): z.core.$ZodType {
  return schema instanceof z.ZodOptional ? schema.unwrap() : schema;
}

/** YAML's flow style, which is how the file writes small values. */
function flow(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(flow).join(", ")}]`;
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value).map(([key, inner]) => `${key}: ${flow(inner)}`);
    return `{ ${entries.join(", ")} }`;
  }
  return String(value);
}

/** Levenshtein distance of two short keys. */
function editDistance(left: string, right: string): number {
  let row = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let i = 1; i <= left.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= right.length; j += 1) {
      const substitution = (row[j - 1] ?? 0) + (left[i - 1] === right[j - 1] ? 0 : 1);
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, substitution));
    }
    row = next;
  }
  return row[right.length] ?? 0;
}
