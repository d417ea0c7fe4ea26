/** The Qdrant server that the contract suite is pointed at. */
import { randomUUID } from "node:crypto";
import { startQdrant, temporaryFolder } from "../process.fixture.ts";
import { contractSettings } from "./settings.ts";

/** What `JSON.parse` gives; the cases look into it freely. */
type Parsed = ReturnType<JSON["parse"]>;

export interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: unknown;
  /** `result` of the envelope. */
  readonly result: Parsed;
  /** `status.error` of the envelope, or an empty text. */
  readonly error: string;
}

export interface QdrantUnderTest {
  readonly url: string;
  readonly isEmbedded: boolean;
  call(method: string, path: string, body?: unknown): Promise<Answer>;
  /** A name that no one else uses; `stop` deletes the collection. */
  newName(): string;
  stop(): Promise<void>;
}

export type Call = QdrantUnderTest["call"];
/** Resolves with the name of a new collection that holds the points of the cases. */
export type Filled = () => Promise<string>;

/** `QDRANT_URL` when it is set, else a new embedded server. */
export async function openQdrant(): Promise<QdrantUnderTest> {
  const { url: given, apiKey } = contractSettings();
  const folder = given === null ? await temporaryFolder() : null;
  const embedded = folder === null ? null : await startQdrant(folder.path);
  const url = given ?? embedded?.url ?? "";
  const names: string[] = [];
  async function call(method: string, path: string, body?: unknown): Promise<Answer> {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: { "content-type": "application/json", ...(apiKey === null ? {} : { "api-key": apiKey }) },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    return answerOf(response);
  }
  return {
    url,
    isEmbedded: given === null,
    call,
    newName() {
      const name = `kattegat_contract_${randomUUID()}`;
      names.push(name);
      return name;
    },
    async stop() {
      for (const name of names) await call("DELETE", `/collections/${name}`);
      await embedded?.kill("SIGKILL");
      await folder?.remove();
    },
  };
}

async function answerOf(response: Response): Promise<Answer> {
  const text = await response.text();
  const type = response.headers.get("content-type") ?? "";
  const body = type.includes("json") ? JSON.parse(text) : text;
  return { status: response.status, type, body, result: body?.result, error: body?.status?.error ?? "" };
}
