/** Type-checks every project of the repository, tests included. */
import { execFile } from "node:child_process";
import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** Each compiler takes up to a gigabyte. */
const COMPILERS_MAX = 2;

/** A project takes a few seconds; one that hangs must not hang CI. */
const PROJECT_MS_MAX = 180_000;

interface Outcome {
  readonly project: string;
  readonly ok: boolean;
  readonly output: string;
  readonly tookMs: number;
}

/** Each workspace's `tsconfig.json` and `tsconfig.test.json`, then the root's. */
function projects(): readonly string[] {
  const manifest: unknown = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
  const workspaces =
    typeof manifest === "object" && manifest !== null && "workspaces" in manifest ? manifest.workspaces : [];
  const folders = Array.isArray(workspaces) ? workspaces.map(String) : [];
  return [...folders, "."]
    .flatMap((folder) => [join(folder, "tsconfig.json"), join(folder, "tsconfig.test.json")])
    .filter((project) => existsSync(join(ROOT, project)) && hasSources(project));
}

/** The compiler calls a project without a file an error; a folder that is still empty is not one. */
function hasSources(project: string): boolean {
  const folder = project.includes("/") ? project.slice(0, project.indexOf("/")) : ".";
  return (
    folder === "." ||
    globSync(`${folder}/**/*.ts`, { cwd: ROOT, exclude: (name) => name.endsWith("node_modules") }).length > 0
  );
}

function check(project: string): Promise<Outcome> {
  const startedMs = performance.now();
  return new Promise((resolve) => {
    const compiler = join(ROOT, "node_modules/typescript/bin/tsc");
    execFile(
      process.execPath,
      [compiler, "-p", project],
      { cwd: ROOT, timeout: PROJECT_MS_MAX, maxBuffer: 64 * 1024 * 1024 },
      (error, stdout, stderr) => {
        resolve({
          project,
          ok: error === null,
          output: `${stdout}${stderr}`.trim(),
          tookMs: performance.now() - startedMs,
        });
      },
    );
  });
}

function print({ project, ok, output, tookMs }: Outcome): void {
  console.log(`${ok ? "ok  " : "FAIL"} ${project} (${(tookMs / 1000).toFixed(1)} s)`);
  if (!ok) console.log(output === "" ? "the compiler ended without a word" : output);
}

const queue = [...projects()];
const outcomes: Outcome[] = [];
await Promise.all(
  Array.from({ length: COMPILERS_MAX }, async () => {
    for (let project = queue.shift(); project !== undefined; project = queue.shift()) {
      const outcome = await check(project);
      print(outcome);
      outcomes.push(outcome);
    }
  }),
);
const failed = outcomes.filter((outcome) => !outcome.ok).length;
console.log(`${outcomes.length - failed} projects type-check, ${failed} do not`);
process.exitCode = failed === 0 ? 0 : 1;
