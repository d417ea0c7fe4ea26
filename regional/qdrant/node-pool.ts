/** The nodes of one Qdrant cluster, nearest healthy first. */
import { KattegatError } from "@kattegat/protocol/errors.ts";
import { QdrantClient } from "@qdrant/js-client-rest";
import { faultOf } from "./fault.ts";

/** A node that failed once is tried again after this; a restart of a local node takes about as long. */
const BACKOFF_MS_MIN = 250;
/** A node that is back is found within this. */
const BACKOFF_MS_MAX = 10_000;
/** A full batch of points on a busy node; longer means that the node is gone. */
const REQUEST_MS_MAX = 30_000;

export interface NodePoolOptions {
  /** The nearest first. */
  readonly urls: readonly string[];
  readonly apiKey: string | null;
  readonly now: () => number;
  readonly random: () => number;
  readonly report: (message: string, details: Readonly<Record<string, unknown>>) => void;
}

export interface RunOptions {
  /** Within this the answer is useful; half of it goes to a node when there is another one to ask. */
  readonly withinMs?: number;
}

interface Node {
  readonly url: string;
  readonly client: QdrantClient;
  failures: number;
  retryAt: number;
}

export class NodePool {
  readonly #options: NodePoolOptions;
  readonly #nodes: readonly Node[];

  constructor(options: NodePoolOptions) {
    this.#options = options;
    this.#nodes = options.urls.map((url) => ({
      url,
      client: clientOf(url, options.apiKey),
      failures: 0,
      retryAt: 0,
    }));
  }

  /** Whether each node is thought to answer, in the order given. */
  health(): readonly { readonly url: string; readonly healthy: boolean }[] {
    return this.#nodes.map(({ url, failures }) => ({ url, healthy: failures === 0 }));
  }

  /**
   * Runs `work` against the nearest healthy node, then against the others; so it must be safe to run twice.
   *
   * @throws {KattegatError} `unavailable` when no node answers, `timeout` when `withinMs` passed first.
   * Whatever Qdrant refuses as the caller's fault is thrown as it came.
   */
  async run<T>(work: (client: QdrantClient) => Promise<T>, { withinMs }: RunOptions = {}): Promise<T> {
    const { now } = this.#options;
    const endsAt = withinMs === undefined ? null : now() + withinMs;
    const candidates = this.#nodes.filter(({ retryAt }) => retryAt <= now());
    let last: unknown = null;
    for (const [place, node] of candidates.entries()) {
      const leftMs = endsAt === null ? REQUEST_MS_MAX : endsAt - now();
      if (leftMs <= 0) break;
      const isLast = place === candidates.length - 1;
      try {
        const result = await within(work(node.client), isLast || endsAt === null ? leftMs : leftMs / 2);
        node.failures = 0;
        return result;
      } catch (error) {
        if (faultOf(error) === "caller") throw error;
        last = error;
        this.#failed(node, error);
      }
    }
    if (endsAt !== null && now() >= endsAt)
      throw new KattegatError("timeout", "Qdrant did not answer before the deadline.", { cause: last });
    throw new KattegatError(
      "unavailable",
      `No Qdrant node of this site answers (${this.#nodes.length} known).`,
      { cause: last, retryAfterSeconds: 1 },
    );
  }

  /**
   * Runs `work` against every node.
   *
   * @throws {KattegatError} `unavailable` when one does not answer.
   */
  async runOnEach<T>(work: (client: QdrantClient) => Promise<T>): Promise<readonly T[]> {
    return await Promise.all(
      this.#nodes.map(async (node) => {
        try {
          return await within(work(node.client), REQUEST_MS_MAX);
        } catch (error) {
          if (faultOf(error) === "caller") throw error;
          this.#failed(node, error);
          throw new KattegatError("unavailable", "A Qdrant node of this site does not answer.", {
            cause: error,
            retryAfterSeconds: 1,
          });
        }
      }),
    );
  }

  #failed(node: Node, error: unknown): void {
    const { now, random, report } = this.#options;
    const backoffMs = Math.min(BACKOFF_MS_MAX, BACKOFF_MS_MIN * 2 ** node.failures) * (0.5 + random() / 2);
    if (node.failures === 0)
      report("a Qdrant node does not answer", { url: node.url, reason: reasonOf(error) });
    node.failures += 1;
    node.retryAt = now() + backoffMs;
  }
}

function clientOf(url: string, apiKey: string | null): QdrantClient {
  // The client takes a URL without a port for 6333, and URL drops a port that is the scheme's own.
  const port = /:(\d+)(?:\/|$)/.exec(url.replace(/^https?:/, ""))?.[1];
  return new QdrantClient({
    url,
    checkCompatibility: false,
    timeout: REQUEST_MS_MAX,
    // As a header, since the client warns on the console about a key over plain HTTP.
    ...(apiKey === null ? {} : { headers: { "api-key": apiKey } }),
    ...(port === undefined ? {} : { port: Number(port) }),
  });
}

function within<T>(work: Promise<T>, ms: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no answer within ${Math.round(ms)} ms`)), ms);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return cause instanceof Error ? cause.message : "unknown";
}
