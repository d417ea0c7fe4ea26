/** Reads YAML in a form whose problems can be located. */
import { LineCounter, isCollection, isMap, isNode, isPair, isScalar, parseDocument, visit } from "yaml";
import type { Document } from "yaml";

import { formatProblem } from "./problem.ts";
import type { LocatedProblem, Problem } from "./problem.ts";

/** A network of 64 sites and 64 classes with full country lists stays below 200 kB. */
const FILE_CHARACTERS_MAX = 1_000_000;

/** Everything that is wrong with a network file, in one message. */
export class NetworkFileError extends Error {
  override readonly name = "NetworkFileError";
  readonly problems: readonly LocatedProblem[];

  constructor(file: string, problems: readonly LocatedProblem[]) {
    const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
    super(
      `${file} has ${count}:\n${problems.map((problem, index) => `  ${index + 1}. ${formatProblem(problem)}`).join("\n")}`,
    );
    this.problems = problems;
  }
}

export interface ReadYaml {
  readonly value: unknown;
  locate(problems: readonly Problem[]): readonly LocatedProblem[];
}

/** @throws {NetworkFileError} when the text is no YAML, too long, or holds aliases. */
export function readYaml(yamlText: string, { file }: { readonly file: string }): ReadYaml {
  if (yamlText.length > FILE_CHARACTERS_MAX) {
    const problem = {
      path: [],
      line: null,
      expected: `at most ${FILE_CHARACTERS_MAX} characters`,
      received: yamlText.length,
      write: "a shorter file",
    };
    throw new NetworkFileError(file, [problem]);
  }
  const lines = new LineCounter();
  const document = parseDocument(yamlText, {
    lineCounter: lines,
    prettyErrors: true,
    uniqueKeys: true,
    version: "1.2",
    logLevel: "silent",
  });
  const faults = [...document.errors, ...document.warnings];
  if (faults.length > 0)
    throw new NetworkFileError(
      file,
      faults.map((fault) => syntaxProblem(fault, lines)),
    );
  const aliases = aliasProblems(document, lines);
  if (aliases.length > 0) throw new NetworkFileError(file, aliases);
  return {
    value: document.toJS(),
    locate: (problems) => problems.map((problem) => ({ ...problem, line: lineOf(problem, document, lines) })),
  };
}

function syntaxProblem(
  fault: { readonly message: string; readonly pos: readonly [number, number] },
  lines: LineCounter,
): LocatedProblem {
  const [summary = "valid YAML"] = fault.message.split(/ at line \d+|\n/);
  return {
    path: [],
    line: lines.linePos(fault.pos[0]).line,
    expected: "valid YAML 1.2",
    received: summary,
    write:
      "the line so that a YAML editor accepts it; indent with spaces, and quote a text that contains ': ' or ' #'",
  };
}

/** Aliases are refused: a few lines of them can stand for gigabytes, and a reader should see each rule where it applies. */
function aliasProblems(document: Document.Parsed, lines: LineCounter): readonly LocatedProblem[] {
  const problems: LocatedProblem[] = [];
  visit(document, {
    Alias: (_, alias) => {
      const offset = startOf(alias);
      const line = offset === undefined ? null : lines.linePos(offset).line;
      problems.push({
        path: [],
        line,
        expected: "values written out, no YAML aliases",
        received: `*${alias.source}`,
        write: "the value itself",
      });
    },
  });
  return problems;
}

/** The line of the deepest part of the path that the file has. */
function lineOf(problem: Problem, document: Document.Parsed, lines: LineCounter): number | null {
  let node: unknown = document.contents;
  let offset = startOf(node);
  for (const [depth, step] of problem.path.entries()) {
    if (!isCollection(node)) break;
    const last = depth === problem.path.length - 1;
    const pair = isMap(node)
      ? node.items.find((item) => isScalar(item.key) && String(item.key.value) === String(step))
      : undefined;
    const child: unknown = node.get(step, true);
    const target = pair !== undefined && (last || !isNode(child)) ? pair.key : child;
    const next = startOf(isPair(target) ? target.key : target);
    if (next === undefined) break;
    offset = next;
    node = child;
  }
  return offset === undefined ? null : lines.linePos(offset).line;
}

function startOf(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined;
}
