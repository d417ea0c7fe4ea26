/** A network that a history happens to: it remembers every promise and asks every store. */
import { hashedId } from "@kattegat/engine/digests/hashed-id.ts";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { writeResultSchema } from "@kattegat/protocol/documents.ts";
import { networkStatusSchema } from "@kattegat/protocol/network-status.ts";
import { searchResponseSchema } from "@kattegat/protocol/search.ts";

import {
  ARCHIVE,
  SITES,
  mayBe,
  networkFile,
  searchableAt,
  type NetworkFile,
  type Promised,
  type Put,
  type SiteId,
  type Step,
} from "./history.fixture.ts";
import { startTestNetwork, type TestNetwork } from "./network.fixture.ts";
import { Processes } from "./processes.fixture.ts";
import { connectStores, searchable, type Held, type Stores } from "./stores.fixture.ts";

/** A killed process is back within seconds; a write is repeated until then. */
const ANSWER_MS_MAX = 60_000;
/** After the last fault everything converges; a network that has not by then will not. */
const QUIET_MS_MAX = 90_000;
const RETRY_MS = 100;
/** So few that bases are made of a history's documents. */
const BASE_PASSAGES_MIN = 6;

const KINDS = {
  "dk-cph": "primary",
  "eu-fra": "regional",
  "eu-arn": "regional",
  "edge-eu": "edge",
  "edge-global": "edge",
  "archive-dk": "archive",
} as const;

export class World {
  readonly #data: string;
  #network: TestNetwork | null = null;
  #stores: Stores | null = null;
  #file: NetworkFile = "as it is";
  /** While a change of the file is carried out, what it forbids may still be there. */
  #allowed: readonly NetworkFile[] = ["as it is"];
  readonly #promised = new Map<string, Promised>();
  /** Class of every version that was ever promised. */
  readonly #classes = new Map<string, string>();
  /** Every id that was ever written, by its SHA-256. */
  readonly #names = new Map<string, string>();
  readonly #processes: Processes;
  #history = 0;
  #writes = 0;
  #isRepeated = false;

  constructor(data: string) {
    this.#data = data;
    this.#processes = new Processes(data);
  }

  async start(file: NetworkFile): Promise<void> {
    const path = join(this.#data, "network.yaml");
    writeFileSync(path, networkFile(file));
    this.#allowed = [this.#file, file];
    this.#file = file;
    this.#network = await startTestNetwork({
      samples: "none",
      data: this.#data,
      environment: { KATTEGAT_CONFIG: path, KATTEGAT_BASE_PASSAGES_MIN: String(BASE_PASSAGES_MIN) },
    });
    this.#stores = await connectStores(this.#network, KINDS);
  }

  async stop(): Promise<void> {
    this.#processes.restore();
    await this.#network?.stop();
    this.#network = null;
  }

  /** Documents of a new history have names of their own; those of the former ones stay. */
  begin(): void {
    this.#history += 1;
  }

  async take(step: Step): Promise<void> {
    switch (step.kind) {
      case "put":
        return await this.#put(step);
      case "erase":
        return await this.#erase(this.#idOf(step.document));
      case "kill":
        return this.#processes.kill(step.process);
      case "lose":
        return this.#processes.lose(step.site);
      case "return":
        return this.#processes.restore();
      case "configure":
        await this.stop();
        return await this.start(step.file);
      case "wait":
        await sleep(step.ms);
        return;
      default:
        return step satisfies never;
    }
  }

  /** What is where it may not be, by what every store that answers holds at this moment. */
  async violations(): Promise<readonly string[]> {
    const { lost } = this.#processes;
    const found: string[] = [];
    for (const site of SITES) {
      if (lost.has(site)) continue;
      const held = await this.#read(site).catch(() => null);
      for (const { document_id: id, version, class: residency } of held?.copies ?? []) {
        if (!this.#allowed.some((file) => mayBe(residency, site, file)))
          found.push(`${site} holds ${id} of class ${residency}`);
        const promised = this.#classes.get(`${id} ${version}`);
        // An answer that was lost with its process promised nothing, yet the version may be there.
        if (promised !== undefined && promised !== residency)
          found.push(`${site} calls version ${version} of ${id} ${residency}; it was written as ${promised}`);
      }
    }
    return found;
  }

  /** Ends every fault, and resolves with what is not as it has to be when that does not come about in time. */
  async quiet(): Promise<readonly string[]> {
    this.#processes.restore();
    const until = performance.now() + QUIET_MS_MAX;
    for (;;) {
      const wrong = await this.#wrong().catch((error: unknown) => [String(error)]);
      if (wrong.length === 0) {
        this.#allowed = [this.#file];
        return [];
      }
      if (performance.now() > until) return [...wrong, ...(await this.#status())];
      await sleep(5 * RETRY_MS);
    }
  }

  /** An archive tells whose a copy is by the SHA-256 of an id. */
  async #read(site: SiteId): Promise<Held> {
    const held = (await this.#stores?.read(site)) ?? { records: [], copies: [] };
    if (site !== ARCHIVE) return held;
    const copies = held.copies.map((copy) => ({
      ...copy,
      document_id: this.#names.get(copy.document_id) ?? copy.document_id,
    }));
    return { ...held, copies };
  }

  async #wrong(): Promise<readonly string[]> {
    const held = new Map<SiteId, Held>();
    for (const site of SITES) held.set(site, await this.#read(site));
    const records = new Map(held.get("dk-cph")?.records.map((record) => [record.document_id, record]));
    const wrong: string[] = [];
    for (const id of records.keys()) if (!this.#promised.has(id)) wrong.push(`the primary records ${id}`);
    const expected = new Map<string, string>();
    for (const [id, { residency, tier, version, passages }] of this.#promised) {
      const record = records.get(id);
      if (record === undefined || record.version !== version || record.class !== residency)
        wrong.push(
          `the primary records ${JSON.stringify(record)}, expected ${id} ${residency} at ${version}`,
        );
      if (record === undefined) continue;
      if (tier !== null && record.tier !== tier) wrong.push(`${id} is ${record.tier}, expected ${tier}`);
      if (record.moving_from !== null) wrong.push(`${id} is on its way from ${record.moving_from}`);
      for (const site of searchableAt(residency, record.tier, this.#file))
        expected.set(`${id} at ${site}`, `${version} ${residency} ${passages}`);
      expected.set(`${id} at ${ARCHIVE}`, `${version} ${residency} NaN`);
    }
    for (const [site, { copies }] of held)
      for (const [id, found] of searchable(copies)) {
        const at = `${id} at ${site}`;
        const wanted = expected.get(at);
        const uncounted = wanted?.replace(/\d+$/, "NaN");
        if (found !== wanted && found !== uncounted)
          wrong.push(`${at}: ${found}, expected ${wanted ?? "none"}`);
        expected.delete(at);
      }
    for (const [at, what] of expected) wrong.push(`${at}: none, expected ${what}`);
    for (const [site, { copies }] of held)
      for (const { document_id: id, hidden, class: residency } of copies) {
        const now = this.#promised.get(id)?.residency;
        const isAllowed =
          now !== undefined && mayBe(now, site, this.#file) && mayBe(residency, site, this.#file);
        if (hidden && !isAllowed) wrong.push(`${id} of class ${residency} still rests at ${site}, hidden`);
      }
    return wrong.length > 0 ? wrong : await this.#searched();
  }

  /** What a person would look at first. */
  async #status(): Promise<readonly string[]> {
    const { sites, sequence } = networkStatusSchema.parse(
      await (await this.#network?.get("/v1/network"))?.json(),
    );
    const shown = sites.map(({ id, health, watermark, lag_changes: behind }) =>
      health === "not_running" ? "" : `${id}: ${health}, at ${watermark} of ${sequence}, ${behind} behind`,
    );
    return shown.filter((text) => text !== "");
  }

  /** Each document by a word of its own, as a caller in Denmark finds it. */
  async #searched(): Promise<readonly string[]> {
    const wrong: string[] = [];
    for (const [id, { version, word }] of this.#promised) {
      const body = JSON.stringify({ query: word, mode: "lexical", timeout_ms: 5_000 });
      const answer = await this.#network?.post("/v1/search", body);
      const { hits, partial } = searchResponseSchema.parse(await answer?.json());
      const found = hits.map((hit) => `${hit.document_id} ${hit.version}`).join(", ");
      if (found !== `${id} ${version}` || partial)
        wrong.push(
          `a search for ${id} at ${version} found ${found || "nothing"}${partial ? ", in part" : ""}`,
        );
    }
    return wrong;
  }

  async #put({ document, residency, tier, passages, importance }: Put): Promise<void> {
    const id = this.#idOf(document);
    this.#names.set(hashedId(id), id);
    this.#writes += 1;
    const word = `ord${this.#history}x${this.#writes}`;
    const body = JSON.stringify({
      title: `Afgørelse ${document}`,
      passages: Array.from({ length: passages }, (_, at) => ({ text: `Stykke ${at + 1} om ${word}.` })),
      residency,
      tier,
      importance,
    });
    const answer = await this.#until(`/v1/documents/${id}`, { method: "PUT", body }, [200, 201]);
    const { version } = writeResultSchema.parse(await answer.json());
    this.#classes.set(`${id} ${version}`, residency);
    this.#promised.set(id, { residency, tier, version, passages, word });
  }

  async #erase(id: string): Promise<void> {
    const answer = await this.#until(`/v1/documents/${id}`, { method: "DELETE" }, [202, 404]);
    // The deletion may have been carried out although its answer was lost.
    if (answer.status === 404 && this.#promised.has(id) && !this.#isRepeated)
      throw new Error(`${id} is not there, though nobody deleted it`);
    this.#promised.delete(id);
  }

  /** Repeats until the answer is one of those; anything but a network that is not there for a moment is a failure. */
  async #until(
    path: string,
    request: { readonly method: string; readonly body?: string },
    expected: readonly number[],
  ): Promise<Response> {
    const network = this.#network;
    if (network === null) throw new Error("the network does not run");
    const until = performance.now() + ANSWER_MS_MAX;
    this.#isRepeated = false;
    let last: unknown = null;
    while (performance.now() < until) {
      try {
        const answer = await fetch(`${network.url}${path}`, {
          ...request,
          headers: { authorization: `Bearer ${network.key}`, "content-type": "application/json" },
          signal: AbortSignal.timeout(ANSWER_MS_MAX),
        });
        if (expected.includes(answer.status)) return answer;
        last = `${answer.status} ${await answer.text()}`;
        if (![503, 504].includes(answer.status)) break;
      } catch (error) {
        last = error;
      }
      this.#isRepeated = true;
      await sleep(RETRY_MS);
    }
    throw new Error(
      `${request.method} ${path} was not answered with ${expected.join(" or ")}: ${String(last)}`,
    );
  }

  #idOf(document: number): string {
    return `h${this.#history}-${document}`;
  }
}
