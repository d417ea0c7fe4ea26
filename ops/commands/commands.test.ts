import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { KattegatError } from "@kattegat/protocol/errors.ts";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { ROOT } from "../settings.ts";
import { hostCommands, type CommandHost, type Ended } from "./command.fixture.ts";

/** Each test starts processes that load the whole command; a machine under load takes seconds for each. */
const RUN_MS_MAX = 120_000;

let host: CommandHost;
beforeAll(async () => {
  host = await hostCommands();
});
afterAll(() => host?.close());
beforeEach(() => {
  host.health = "ok";
  host.refusal = null;
  host.next = undefined;
});

const problemSchema = z.strictObject({
  problem: z.strictObject({ code: z.string(), detail: z.string(), errors: z.array(z.unknown()) }),
  exit_code: z.int(),
});
const codeIn = ({ stdout }: Ended): string => problemSchema.parse(JSON.parse(stdout)).problem.code;

describe("help", () => {
  it.each([
    ["search", []],
    ["ingest", []],
    ["status", []],
    ["config", ["check"]],
    ["config", ["explain"]],
    ["config", ["diff"]],
    ["residency", ["records"]],
    ["key", ["create"]],
    ["embedding", ["train"]],
    ["embedding", ["status"]],
  ])(
    "shows %s %j with options and examples, as a success",
    async (command, more) => {
      const { code, stdout } = await host.run([command, ...more, "--help"]);
      expect(code).toBe(0);
      expect(stdout).toMatch(new RegExp(`Usage: kattegat ${[command, ...more].join(" ")}`));
      expect(stdout).toContain("--json");
      expect(stdout).toMatch(/Examples:\n {2}kattegat /);
    },
    RUN_MS_MAX,
  );

  it(
    "names every command with the exit codes",
    async () => {
      const { code, stdout } = await host.run(["--help"]);
      expect(code).toBe(0);
      for (const name of ["search", "ingest", "status", "config", "residency", "key", "embedding"])
        expect(stdout).toMatch(new RegExp(`^ {2}${name} `, "m"));
      expect(stdout).toContain("0 done, 1 a finding, 2 bad usage, 3 the network refused");
    },
    RUN_MS_MAX,
  );
});

describe("embedding status", () => {
  const preparing = {
    id: "hashed-64-v1",
    dimensions: 64,
    embedded: 1_200,
    passages: 5_000,
    whole_at: null,
    sites: [
      {
        site: "eu-fra",
        tiers: ["warm" as const],
        watermark: "3",
        lag_changes: 4,
        ready: false,
        reason: "passages are still being embedded",
      },
    ],
    serves: false,
  };

  it(
    "tells how far each site is with each model, which one searches use, and what is to be done at the end",
    async () => {
      expect(await host.run(["embedding", "status"])).toMatchObject({
        code: 0,
        stdout: expect.stringContaining("hashed-384-v1 serves; config/network.yaml names no next model."),
      });
      host.next = preparing;
      const early = await host.run(["embedding", "status"]);
      expect(early.code).toBe(1);
      expect(early.stdout).toContain("1,200 of 5,000 passages are embedded");
      expect(early.stdout).toMatch(/hashed-64-v1 +eu-fra +warm +3 +4 +passages are still being embedded/);
      const [site] = preparing.sites;
      host.next = {
        ...preparing,
        serves: true,
        sites: [
          {
            ...site,
            tiers: ["warm"],
            site: "eu-fra",
            watermark: "7",
            lag_changes: 0,
            ready: true,
            reason: null,
          },
        ],
      };
      const late = await host.run(["embedding", "status"]);
      expect([late.code, late.stdout]).toEqual([0, expect.stringContaining("Searches use hashed-64-v1.")]);
      expect(late.stdout).toContain("name hashed-64-v1 as the embedding in");
      const { code, stdout } = await host.run(["embedding", "status", "--json"]);
      expect([code, JSON.parse(stdout)]).toMatchObject([
        0,
        { serving: "hashed-384-v1", next: "hashed-64-v1", searches_use: "hashed-64-v1", passages: 5_000 },
      ]);
      expect((await host.run(["status"])).stdout).toContain(
        "model hashed-384-v1 (384 dimensions), next hashed-64-v1 (64 dimensions), which searches use",
      );
    },
    RUN_MS_MAX,
  );
});

describe("exit codes", () => {
  it(
    "are 0 when the work is done",
    async () => {
      const search = await host.run(["search", "frist", "--json"]);
      expect([search.code, JSON.parse(search.stdout)]).toMatchObject([0, { partial: false, sequence: "7" }]);
      expect(await host.run(["status"])).toMatchObject({
        code: 0,
        stdout: expect.stringContaining("eu-fra"),
      });
    },
    RUN_MS_MAX,
  );

  it(
    "are 1 for a finding: a site that does not answer",
    async () => {
      host.health = "unavailable";
      const { code, stdout } = await host.run(["status", "--json"]);
      expect([code, JSON.parse(stdout)]).toMatchObject([1, { sites: [{ health: "unavailable" }] }]);
    },
    RUN_MS_MAX,
  );

  it(
    "are 1 for an erasure whose receipt was lost with an answer, of which nothing says that it is removed",
    async () => {
      const erase = ["erase", "a", "--yes", "--wait", "1"];
      host.erasures = [new KattegatError("timeout", "")];
      const lost = await host.run(erase);
      expect(lost.code).toBe(1);
      expect(lost.stdout).toContain("address of the receipt was lost");
      expect(lost.stdout).not.toContain("removed");
      host.erasures = [new KattegatError("timeout", "")];
      const json = await host.run([...erase, "--json"]);
      expect([json.code, JSON.parse(json.stdout)]).toEqual([
        1,
        {
          erased: 0,
          gone_before: 0,
          receipts_lost: 1,
          changed: [],
          receipts: [{ id: "a", receipt: null, receipt_lost: true }],
          unfinished: [],
        },
      ]);
      const gone = await host.run(erase);
      expect(gone).toMatchObject({ code: 0, stdout: expect.stringContaining("1 were gone before") });
      expect(gone.stdout).not.toContain("removed");
    },
    RUN_MS_MAX,
  );

  it.each([
    ["an option that does not exist", ["search", "x", "--nonsense"]],
    ["a number that is out of bounds", ["search", "x", "--limit", "0"]],
    ["a missing argument", ["ingest"]],
    ["a file that is not there", ["ingest", "nowhere.ndjson"]],
    ["dimensions that training does not take", ["embedding", "train", "--dimensions", "30"]],
    ["training without a network that runs", ["embedding", "train"]],
    [
      "a class that the network file does not know",
      ["config", "explain", "--residency", "mars", "--tier", "hot"],
    ],
  ])(
    "are 2 for %s",
    async (_, args) => {
      const { code, stdout, stderr } = await host.run(args);
      expect([code, stdout]).toEqual([2, ""]);
      expect(stderr.trim()).not.toBe("");
      const asJson = await host.run([...args, "--json"]);
      expect([asJson.code, codeIn(asJson)]).toEqual([2, "bad_usage"]);
    },
    RUN_MS_MAX,
  );

  it(
    "are 2 for a setting that is wrong, which --json says too",
    async () => {
      const environment = { KATTEGAT_PORT: "many" };
      const ended = await host.run(["status", "--json"], { environment });
      expect([ended.code, codeIn(ended)]).toEqual([2, "bad_usage"]);
    },
    RUN_MS_MAX,
  );

  it(
    "are 3 when the network refuses, with its own code",
    async () => {
      host.refusal = new KattegatError("bad_request", "The request is not valid.", {
        errors: [{ pointer: "/tiers/0", detail: "expected a tier" }],
      });
      const text = await host.run(["search", "x", "--tiers", "lukewarm"]);
      expect(text).toMatchObject({ code: 3, stdout: "" });
      expect(text.stderr).toMatch(/bad_request: .*\n {2}\/tiers\/0: expected a tier/);
      const asJson = await host.run(["search", "x", "--tiers", "lukewarm", "--json"]);
      expect([asJson.code, JSON.parse(asJson.stdout)]).toEqual([
        3,
        {
          problem: {
            code: "bad_request",
            detail: "The request is not valid.",
            errors: [{ pointer: "/tiers/0", detail: "expected a tier" }],
          },
          exit_code: 3,
        },
      ]);
    },
    RUN_MS_MAX,
  );

  it(
    "are 3 when nobody answers",
    async () => {
      const ended = await host.run(["search", "x", "--url", "http://127.0.0.1:1", "--json"]);
      expect([ended.code, codeIn(ended)]).toEqual([3, "unavailable"]);
      expect(ended.stdout).toContain("npm start");
    },
    RUN_MS_MAX,
  );
});

describe("config check", () => {
  it(
    "gives every fault of a file as a finding in JSON",
    async () => {
      const shipped = readFileSync(join(ROOT, "config", "network.yaml"), "utf8");
      writeFileSync(
        join(host.data, "bad.yaml"),
        shipped.replace("model: hashed-384-v1", "model: foo").replace("kind: standby", "kind: replica"),
      );
      const { code, stdout } = await host.run(["config", "check", "--json", "bad.yaml"]);
      expect(code).toBe(1);
      expect(JSON.parse(stdout)).toMatchObject({
        file: "bad.yaml",
        findings: [
          { severity: "error", where: expect.stringContaining("bad.yaml sites[1].kind") },
          { severity: "error", where: expect.stringContaining("bad.yaml embedding.model") },
        ],
      });
      const text = await host.run(["config", "check", "bad.yaml"]);
      expect(text).toMatchObject({ code: 1, stderr: expect.stringContaining("bad.yaml has 2 problems") });
    },
    RUN_MS_MAX,
  );
});

describe("key", () => {
  const file = (): string => readFileSync(join(host.data, "keys", "callers.json"), "utf8");

  it(
    "makes a key that is shown once, lists it without the key, takes it back",
    async () => {
      const made = await host.run([
        "key",
        "create",
        "--scope",
        "search,write",
        "--name",
        "website",
        "--json",
      ]);
      expect(made.code).toBe(0);
      const { key, ...rest } = JSON.parse(made.stdout);
      expect(key).toMatch(/^kat_[A-Za-z0-9_-]{43}$/);
      expect(rest).toMatchObject({ name: "website", scopes: ["search", "write"] });
      expect(file()).not.toContain(key);
      const list = await host.run(["key", "list", "--json"]);
      expect(list.stdout).not.toContain(key);
      expect(JSON.parse(list.stdout).keys.map(({ name }: { name: string }) => name)).toEqual([
        "admin",
        "website",
      ]);
      expect(await host.run(["key", "revoke", "website"])).toMatchObject({ code: 0 });
      expect((await host.run(["key", "list"])).stdout).not.toContain("website");
    },
    RUN_MS_MAX,
  );

  it.each([
    ["a scope that does not exist", ["create", "--scope", "search,everything"]],
    ["a name that is taken", ["create", "--scope", "search", "--name", "admin"]],
    ["a key that is not there", ["revoke", "nobody"]],
    ["the last key with the scope admin", ["revoke", "admin"]],
  ])(
    "refuses %s",
    async (_, args) => {
      const before = file();
      expect(await host.run(["key", ...args])).toMatchObject({ code: 2, stdout: "" });
      expect(file()).toBe(before);
    },
    RUN_MS_MAX,
  );
});
