import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** DESIGN's table of folders, written out: the package in the row may import the packages after it. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  config: [],
  protocol: ["config"],
  engine: ["config", "protocol"],
  edge: ["config", "protocol", "engine"],
  regional: ["config", "protocol", "engine"],
  "primary-dk": ["config", "protocol", "engine"],
  replication: ["config", "protocol", "engine"],
  ops: ["config", "protocol", "engine", "edge", "regional", "primary-dk", "replication"],
};
const PACKAGES = [...Object.keys(MAY_IMPORT), "bench"];
const WITHOUT_NODE = ["config", "protocol", "engine", "edge"];

/** One bad file per rule of the house. */
const BAD: Readonly<Record<string, { readonly file: string; readonly source: string }>> = {
  "typescript(no-explicit-any)": { file: "config/any.ts", source: "export const x: any = 1;\n" },
  "typescript(no-non-null-assertion)": {
    file: "config/bang.ts",
    source: "export const x = (y?: number): number => y!;\n",
  },
  "typescript(consistent-type-assertions)": {
    file: "config/as.ts",
    source: "export const x = (y: unknown): number => y as number;\n",
  },
  "typescript(consistent-type-imports)": {
    file: "config/types.ts",
    source: 'import { Y } from "./y.ts";\nexport const x = (y: Y): Y => y;\n',
  },
  "typescript(no-namespace)": {
    file: "config/namespace.ts",
    source: "export namespace X { export const y = 1; }\n",
  },
  "typescript(parameter-properties)": {
    file: "config/property.ts",
    source: "export class X { constructor(private readonly y: number) {} }\n",
  },
  "eslint(eqeqeq)": { file: "config/equal.ts", source: "export const x = (y: number): boolean => y == 1;\n" },
  "eslint(no-console)": { file: "config/console.ts", source: 'console.log("x");\n' },
  "eslint(max-lines)": { file: "config/long.ts", source: "export {};\n" + "// line\n".repeat(300) },
  "import(no-default-export)": { file: "config/default.ts", source: "export default 1;\n" },
  "oxc(no-barrel-file)": { file: "config/barrel.ts", source: 'export * from "./y.ts";\n' },
  "node(no-process-env)": { file: "regional/env.ts", source: 'export const x = process.env["X"];\n' },
  "vitest(no-restricted-vi-methods)": {
    file: "config/mock.test.ts",
    source: 'import { vi } from "vitest";\nvi.mock("./y.ts");\n',
  },
  "vitest(no-focused-tests)": {
    file: "config/only.test.ts",
    source: 'import { it } from "vitest";\nit.only("x", () => {});\n',
  },
};

let folder: string;
let findings: readonly { readonly file: string; readonly rule: string; readonly message: string }[];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "kattegat-lint-"));
  copyFileSync(join(ROOT, ".oxlintrc.json"), join(folder, ".oxlintrc.json"));
  for (const from of PACKAGES) {
    write(`${from}/fs.ts`, 'import { readFileSync } from "node:fs";\nexport const x = readFileSync;\n');
    write(`${from}/fs.test.ts`, 'import { readFile } from "node:fs/promises";\nexport const x = readFile;\n');
    write(`${from}/peer.ts`, 'import { Index } from "usearch";\nexport const x = Index;\n');
    for (const to of PACKAGES) {
      write(`${from}/to-${to}.ts`, `import { y } from "@kattegat/${to}/y.ts";\nexport const x = y;\n`);
      write(`${from}/deep/up-${to}.ts`, `import { y } from "../../${to}/y.ts";\nexport const x = y;\n`);
    }
  }
  write("config/y.ts", "export interface Y { readonly z: number }\n");
  write("config/one.ts", 'import { two } from "./two.ts";\nexport const one = (): number => two();\n');
  write("config/two.ts", 'import { one } from "./one.ts";\nexport const two = (): number => one();\n');
  for (const { file, source } of Object.values(BAD)) write(file, source);
  findings = lint();
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("the lint rules", () => {
  it("let a package import what DESIGN's table allows, and refuse everything else", () => {
    for (const from of PACKAGES) {
      for (const to of PACKAGES) {
        const allowed = from === to || from === "bench" || MAY_IMPORT[from]?.includes(to) === true;
        expect(refuses(`${from}/to-${to}.ts`), `${from} → ${to}`).toBe(!allowed);
      }
    }
  });

  it("refuse a relative path into another package, however the table stands", () => {
    for (const from of PACKAGES) {
      for (const to of PACKAGES) {
        if (from !== to) expect(refuses(`${from}/deep/up-${to}.ts`), `${from} → ${to}`).toBe(true);
      }
    }
  });

  it("keep Node out of the packages that also run in the Worker, but not out of their tests", () => {
    for (const from of PACKAGES) {
      expect(refuses(`${from}/fs.ts`), from).toBe(WITHOUT_NODE.includes(from));
      expect(refuses(`${from}/fs.test.ts`), from).toBe(false);
    }
  });

  it("leave peers to the benchmarks", () => {
    for (const from of PACKAGES) expect(refuses(`${from}/peer.ts`), from).toBe(from !== "bench");
  });

  it("say where the refused code belongs", () => {
    const message = findings.find((finding) => finding.file === "edge/to-regional.ts")?.message;
    expect(message).toContain("belongs to protocol/ or engine/");
  });

  it("refuse two files that import each other", () => {
    expect(
      findings.some((finding) => finding.rule === "import(no-cycle)" && finding.file === "config/one.ts"),
    ).toBe(true);
  });

  it.each(Object.entries(BAD))("hold %s", (rule, { file }) => {
    expect(findings.filter((finding) => finding.file === file).map((finding) => finding.rule)).toContain(
      rule,
    );
  });
});

function write(file: string, source: string): void {
  mkdirSync(dirname(join(folder, file)), { recursive: true });
  writeFileSync(join(folder, file), source);
}

function refuses(file: string): boolean {
  return findings.some(
    (finding) => finding.file === file && finding.rule === "eslint(no-restricted-imports)",
  );
}

function lint(): typeof findings {
  const output = run();
  const report: unknown = JSON.parse(output);
  if (
    typeof report !== "object" ||
    report === null ||
    !("diagnostics" in report) ||
    !Array.isArray(report.diagnostics)
  ) {
    throw new Error(`oxlint answered ${output.slice(0, 200)}`);
  }
  return report.diagnostics.map((diagnostic) => ({
    file: String(diagnostic.filename),
    rule: String(diagnostic.code),
    message: `${String(diagnostic.message)} ${String(diagnostic.help)}`,
  }));
}

/** oxlint ends with 1 when it has findings, and writes them to standard output all the same. */
function run(): string {
  const command = [join(ROOT, "node_modules/oxlint/bin/oxlint"), "--format", "json"];
  try {
    return execFileSync(process.execPath, command, {
      cwd: folder,
      encoding: "utf8",
      maxBuffer: 64 * 1024 * 1024,
    });
  } catch (error) {
    if (typeof error === "object" && error !== null && "stdout" in error && typeof error.stdout === "string")
      return error.stdout;
    throw error;
  }
}
