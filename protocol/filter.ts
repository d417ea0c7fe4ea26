/** The filter of a search in Qdrant's grammar. */
import { z } from "zod";
import { byField, isObject, oneForm } from "./one-form.ts";

/** Deeper nesting has no use that a flat filter cannot serve; it only costs stack. */
export const FILTER_DEPTH_MAX = 8;
/** Conditions in the whole tree: every condition costs a pass over its candidates at every tier. */
export const FILTER_CONDITIONS_MAX = 256;
/** Values in one `any`, `except` or `has_id`: one page of ids. */
export const FILTER_VALUES_MAX = 1_000;
/** A word or a name; longer text is for the query. */
const FILTER_TEXT_CHARACTERS_MAX = 2_000;
/** A document's id with the number of a passage. */
const FILTER_ID_CHARACTERS_MAX = 300;
/** Payload keys are short paths such as `metadata.source`. */
export const FILTER_KEY_CHARACTERS_MAX = 256;

const key = z.string().min(1).max(FILTER_KEY_CHARACTERS_MAX);
const isText = (value: unknown): boolean => typeof value === "string";
const isNumber = (value: unknown): boolean => typeof value === "number";
const text = z.string().max(FILTER_TEXT_CHARACTERS_MAX);
const keyword = oneForm<string | number | boolean>(
  [
    { isMeant: isText, schema: text },
    { isMeant: isNumber, schema: z.int() },
    { isMeant: (value) => typeof value === "boolean", schema: z.boolean() },
  ],
  "text, a whole number, true or false",
);
/** The first value says of which kind all must be, as in Qdrant. */
const anyOf = oneForm<string[] | number[]>(
  [
    {
      isMeant: (value) => Array.isArray(value) && isNumber(value[0]),
      schema: z.array(z.int()).max(FILTER_VALUES_MAX),
    },
    { isMeant: Array.isArray, schema: z.array(text).max(FILTER_VALUES_MAX) },
  ],
  "a list",
);

type Match =
  | { readonly value: string | number | boolean }
  | { readonly any: string[] | number[] }
  | { readonly except: string[] | number[] }
  | { readonly text: string };
const match = oneForm<Match>(
  [
    byField("value", z.strictObject({ value: keyword })),
    byField("any", z.strictObject({ any: anyOf })),
    byField("except", z.strictObject({ except: anyOf })),
    byField("text", z.strictObject({ text })),
  ],
  "an object with `value`, `any`, `except` or `text`",
);
const bound = z.number().nullable().optional();
const timeBound = z.iso.datetime({ offset: true }).nullable().optional();
const numberRange = z.strictObject({ gt: bound, gte: bound, lt: bound, lte: bound });
const timeRange = z.strictObject({ gt: timeBound, gte: timeBound, lt: timeBound, lte: timeBound });
const range = oneForm<z.infer<typeof numberRange> | z.infer<typeof timeRange>>(
  [
    {
      isMeant: (value) => isObject(value) && Object.values(value).some(isText),
      schema: timeRange,
    },
    { isMeant: isObject, schema: numberRange },
  ],
  "an object with `gt`, `gte`, `lt` or `lte`",
);
const count = z.int().min(0).optional();

const matchCondition = z.strictObject({ key, match });
const rangeCondition = z.strictObject({ key, range });
const valuesCountCondition = z.strictObject({
  key,
  values_count: z.strictObject({ gt: count, gte: count, lt: count, lte: count }),
});
const isEmptyCondition = z.strictObject({ is_empty: z.strictObject({ key }) });
const isNullCondition = z.strictObject({ is_null: z.strictObject({ key }) });
const hasIdCondition = z.strictObject({
  has_id: z
    .array(
      oneForm<string | number>(
        [
          { isMeant: isText, schema: z.string().max(FILTER_ID_CHARACTERS_MAX) },
          { isMeant: isNumber, schema: z.int().min(0) },
        ],
        "the id of a document or of a passage",
      ),
    )
    .max(FILTER_VALUES_MAX),
});

/** One leaf or nested condition. */
export type Condition =
  | z.infer<typeof matchCondition>
  | z.infer<typeof rangeCondition>
  | z.infer<typeof valuesCountCondition>
  | z.infer<typeof isEmptyCondition>
  | z.infer<typeof isNullCondition>
  | z.infer<typeof hasIdCondition>
  | { readonly nested: { readonly key: string; readonly filter: Filter } }
  | Filter;

type Clause = Condition | readonly Condition[] | null | undefined;

/** All of `must`, none of `must_not`, one of `should`, at least `min_count` of `min_should.conditions`. */
export interface Filter {
  readonly must?: Clause;
  readonly should?: Clause;
  readonly must_not?: Clause;
  readonly min_should?:
    | { readonly conditions: readonly Condition[]; readonly min_count: number }
    | null
    | undefined;
}

const condition: z.ZodType<Condition> = z.lazy(() =>
  oneForm<Condition>(
    [
      { isMeant: hasSeveralForms, schema: oneFormOnly },
      byField("nested", z.strictObject({ nested: z.strictObject({ key, filter: filterTree }) })),
      byField("has_id", hasIdCondition),
      byField("is_empty", isEmptyCondition),
      byField("is_null", isNullCondition),
      byField("match", matchCondition),
      byField("range", rangeCondition),
      byField("values_count", valuesCountCondition),
      byField("key", keyAlone),
      { isMeant: isObject, schema: filterTree },
    ],
    "a condition",
  ),
);

const CONDITION_FIELDS = [
  "nested",
  "has_id",
  "is_empty",
  "is_null",
  "match",
  "range",
  "values_count",
] as const;

function hasSeveralForms(value: unknown): boolean {
  return isObject(value) && CONDITION_FIELDS.filter((field) => Object.hasOwn(value, field)).length > 1;
}

const oneFormOnly = z.never({ error: `expected one of ${CONDITION_FIELDS.join(", ")}; several came` });
const keyAlone = z.never({ error: "expected `match`, `range` or `values_count` beside `key`; none came" });

const clause = oneForm<Condition | Condition[]>(
  [
    { isMeant: Array.isArray, schema: z.array(condition).max(FILTER_CONDITIONS_MAX) },
    { isMeant: isObject, schema: condition },
  ],
  "a condition or a list of them",
)
  .nullable()
  .optional();

const filterTree: z.ZodType<Filter> = z.lazy(() =>
  z.strictObject({
    must: clause,
    should: clause,
    must_not: clause,
    min_should: z
      .strictObject({ conditions: z.array(condition).max(FILTER_CONDITIONS_MAX), min_count: z.int().min(0) })
      .nullable()
      .optional(),
  }),
);

interface Measure {
  depth: number;
  conditions: number;
}

/**
 * Measures any JSON value as a filter without recursion, so that a hostile one is refused
 * before a recursive parser sees it.
 */
function measure(root: unknown): Measure {
  const result: Measure = { depth: 0, conditions: 0 };
  const stack: { value: unknown; depth: number }[] = [{ value: root, depth: 1 }];
  for (let item = stack.pop(); item !== undefined; item = stack.pop()) {
    const { value, depth } = item;
    if (typeof value !== "object" || value === null) continue;
    const isArray = Array.isArray(value);
    if (!isArray) result.conditions += 1;
    result.depth = Math.max(result.depth, depth);
    if (result.depth > JSON_DEPTH_MAX || result.conditions > JSON_OBJECTS_MAX) return result;
    for (const child of Object.values(value))
      stack.push({ value: child, depth: isArray ? depth : depth + 1 });
  }
  return result;
}

/** A nested filter is three objects deep for each level: the filter, `nested`, its filter. */
const JSON_DEPTH_MAX = FILTER_DEPTH_MAX * 3;
/** A condition is at most three objects: itself, its `match` or `range`, the clause around it. */
const JSON_OBJECTS_MAX = FILTER_CONDITIONS_MAX * 3;

/** Validates a filter, its depth first. */
export const filterSchema: z.ZodType<Filter> = z
  .unknown()
  .superRefine((value, context) => {
    const { depth, conditions } = measure(value);
    if (depth > JSON_DEPTH_MAX) {
      context.addIssue({
        code: "custom",
        message: `expected a filter at most ${FILTER_DEPTH_MAX} levels deep`,
      });
    } else if (conditions > JSON_OBJECTS_MAX) {
      context.addIssue({
        code: "custom",
        message: `expected at most ${FILTER_CONDITIONS_MAX} conditions in a filter`,
      });
    }
  })
  .pipe(filterTree)
  .meta({ id: "Filter", description: "A filter in Qdrant's grammar." });
