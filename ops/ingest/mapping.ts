/** The mapping of a user's own records to documents. */
import { parseDocument } from "yaml";
import { z } from "zod";

/** A table of kinds or authorities; longer ones belong into the data. */
const TABLE_ROWS_MAX = 1_000;
const CASES_MAX = 100;
/** A regular expression runs over one field of one record; longer fields are cut. */
export const MATCHED_CHARACTERS_MAX = 10_000;

const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()]);
const path = z
  .string()
  .regex(
    /^[^.\s]+(\.[^.\s]+)*$/,
    "expected the name of a field, with dots for fields inside, such as meta.issued",
  );

const pattern = z.string().refine(
  (text) => {
    try {
      new RegExp(text, "u");
      return true;
    } catch {
      return false;
    }
  },
  { error: "expected a regular expression" },
);

const condition = z
  .strictObject({
    path,
    is: z.union([scalar, z.array(scalar)]).optional(),
    matches: pattern.optional(),
    before: z.string().optional(),
    from: z.string().optional(),
  })
  .refine(
    (value) => Object.keys(value).length > 1,
    "expected one of `is`, `matches`, `before`, `from` beside `path`",
  );
export type Condition = z.infer<typeof condition>;

const simple = z.union(
  [
    z.strictObject({ value: z.json() }),
    z.strictObject({ path, default: z.json().optional() }),
    z.strictObject({ template: z.string().min(1) }),
    z.strictObject({
      lookup: path,
      table: z.record(z.string(), z.json()).refine((table) => Object.keys(table).length <= TABLE_ROWS_MAX),
      default: z.json().optional(),
    }),
  ],
  {
    error:
      "expected one of: { value }, { path }, { template }, { lookup, table, default }, { cases, otherwise }",
  },
);

const expression = z.union(
  [
    simple,
    z.strictObject({
      cases: z
        .array(z.strictObject({ when: condition, then: simple }))
        .min(1)
        .max(CASES_MAX),
      otherwise: simple.optional(),
    }),
  ],
  {
    error:
      "expected one of: { value }, { path }, { template }, { lookup, table, default }, { cases, otherwise }",
  },
);
export type Expression = z.infer<typeof expression>;

const withDescription = (shape: typeof expression, text: string): typeof expression =>
  shape.meta({ description: text });

export const mappingSchema = z
  .strictObject({
    version: z.literal(1, { error: "expected version: 1" }),
    description: z.string().optional(),
    id: withDescription(
      expression,
      "The document's id; characters outside A–Z a–z 0–9 . _ ~ - become one hyphen each.",
    ),
    title: withDescription(expression, "The document's title; cut at 1,000 characters."),
    text: expression.optional(),
    passages: z
      .strictObject({
        each: path.meta({ description: "The field that holds the list." }),
        text: withDescription(expression, "Read inside one item of the list."),
      })
      .optional(),
    lang: expression.optional(),
    residency: expression.optional(),
    collection: expression.optional(),
    importance: expression.optional(),
    published_at: expression.optional(),
    tier: expression.optional(),
    metadata: z.record(z.string(), expression).optional(),
  })
  .refine((mapping) => mapping.text !== undefined || mapping.passages !== undefined, {
    error: "expected `text` or `passages`; both are missing",
    path: ["text"],
  })
  .meta({ id: "Mapping", description: "How `kattegat ingest --mapping` makes a document of each record." });

export type Mapping = z.infer<typeof mappingSchema>;

/** A mapping file is wrong; the message lists every problem. */
export class MappingError extends Error {
  override readonly name = "MappingError";
}

/** Reads YAML, of which JSON is a part. @throws {MappingError} */
export function parseMapping(text: string, { file }: { readonly file: string }): Mapping {
  const document = parseDocument(text, { uniqueKeys: true, logLevel: "silent" });
  if (document.errors.length > 0) {
    throw new MappingError(
      `${file} is not valid YAML:\n${document.errors.map(({ message }) => `  ${message.split("\n")[0] ?? ""}`).join("\n")}`,
    );
  }
  const parsed = mappingSchema.safeParse(document.toJS());
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.flatMap((issue) =>
    issue.code === "unrecognized_keys"
      ? issue.keys.map((key) => `${[...issue.path, key].join(".")}: this name is not known; remove it`)
      : [`${issue.path.join(".") || "the file"}: ${issue.message}`],
  );
  throw new MappingError(
    `${file} has ${problems.length === 1 ? "1 problem" : `${problems.length} problems`}:\n${problems.map((problem, index) => `  ${index + 1}. ${problem}`).join("\n")}`,
  );
}
