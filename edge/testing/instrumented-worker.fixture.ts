/** The Worker with troubles at its buckets, and an account of what each request made of them. */
import { networkSchema } from "@kattegat/config/network.ts";
import { manifestKey } from "../cold/manifest-key.ts";
import { AsyncLocalStorage } from "node:async_hooks";
import type { ObjectRange } from "../cold/object-range.ts";
import { OtherInvocation, type BucketName } from "../other-invocation.ts";
import type { EdgeBindings } from "../settings.ts";
import worker from "../worker.ts";

/** What one request made, after its answer too. */
export interface Account {
  reads: number;
  bytes: number;
  /** Times at which a read began when none was waiting: how often the search had to wait for the store. */
  rounds: number;
  cacheOperations: number;
  /** Of other invocations that read for this one. */
  calls: number;
  isDone: boolean;
}

export interface BucketRead {
  readonly key: string;
  readonly options: R2GetOptions | undefined;
  /** Reads from the bucket that is bound. */
  make(): Promise<unknown>;
}

/** Makes a read, or does something else; resolves with the object or null. */
export type AroundRead = (read: BucketRead) => Promise<unknown>;

/** A request, with the invocations that read for it. */
interface Tally {
  readonly account: Account;
  waiting: number;
}

interface Invocation {
  readonly tally: Tally;
  readonly around: AroundRead;
}

/** Isolates remembered: the one that is asked, those before it. */
const ISOLATES_MAX = 4;

const invocations = new AsyncLocalStorage<Invocation>();
const isolates = new Map<string, EdgeBindings>();
let last: Tally | null = null;

for (const name of ["match", "put"] as const) {
  const original: (...values: never[]) => unknown = Cache.prototype[name];
  Object.defineProperty(Cache.prototype, name, {
    value(this: Cache, ...values: unknown[]): unknown {
      const account = invocations.getStore()?.tally.account;
      if (account !== undefined) account.cacheOperations += 1;
      return Reflect.apply(original, this, values);
    },
  });
}

/**
 * Returns a Worker of which each request says, with `x-test-isolate`, in which isolate it runs; one of a new name begins
 * with nothing in memory. `/test/account` tells of the last request, `/test/read` reads a byte of the manifest.
 *
 * @param aroundOf - makes, for each request, what its reads of the buckets pass through.
 * @param control - answers other paths below `/test/`.
 */
export function instrumentedWorker(
  aroundOf: () => AroundRead,
  control: (request: Request) => Promise<Response> = () =>
    Promise.resolve(new Response(null, { status: 404 })),
): ExportedHandler<EdgeBindings> {
  return {
    async fetch(request, bindings, execution) {
      const { pathname } = new URL(request.url);
      if (pathname === "/test/account") return Response.json(last?.account ?? null);
      const env = bindingsOf(request.headers.get("x-test-isolate") ?? "", bindings);
      if (pathname.startsWith("/test/") && pathname !== "/test/read") return control(request);
      const account: Account = { reads: 0, bytes: 0, rounds: 0, cacheOperations: 0, calls: 0, isDone: false };
      last = { account, waiting: 0 };
      const deferred: Promise<unknown>[] = [];
      const context = watched(execution, deferred);
      return invocations.run({ tally: last, around: aroundOf() }, async () => {
        const response =
          pathname === "/test/read" ? await readByte(env) : await worker.fetch(request, env, context);
        execution.waitUntil(
          settled(deferred).then(() => {
            account.isDone = true;
          }),
        );
        return response;
      });
    },
  };
}

/** Returns the entrypoint that reads for the last request, in invocations of their own. */
export function instrumentedInvocation(aroundOf: () => AroundRead): typeof OtherInvocation {
  return class extends OtherInvocation {
    override read(name: BucketName, ranges: readonly ObjectRange[]): ReturnType<OtherInvocation["read"]> {
      const bucket = this.env[name];
      if (last === null || bucket === undefined) return super.read(name, ranges);
      last.account.calls += 1;
      this.env = { ...this.env, [name]: counted(bucket) };
      return invocations.run({ tally: last, around: aroundOf() }, () => super.read(name, ranges));
    }
  };
}

/** Deferred work may defer more. */
async function settled(works: readonly Promise<unknown>[]): Promise<void> {
  for (let count = -1; count !== works.length;) {
    count = works.length;
    await Promise.allSettled(works);
  }
}

function watched(execution: ExecutionContext, deferred: Promise<unknown>[]): ExecutionContext {
  return new Proxy(execution, {
    get(target, name): unknown {
      if (name !== "waitUntil") return Reflect.get(target, name);
      return (work: Promise<unknown>) => {
        deferred.push(work);
        target.waitUntil(work);
      };
    },
  });
}

/** Bindings that were not seen before make the Worker build itself anew, as in an isolate that has just begun. */
function bindingsOf(id: string, bindings: EdgeBindings): EdgeBindings {
  const known = isolates.get(id);
  if (known !== undefined) return known;
  const { COLD, COLD_GLOBAL, ...others } = bindings;
  const made = {
    ...others,
    COLD: counted(COLD),
    ...(COLD_GLOBAL === undefined ? {} : { COLD_GLOBAL: counted(COLD_GLOBAL) }),
  };
  isolates.set(id, made);
  const [oldest] = isolates.keys();
  if (isolates.size > ISOLATES_MAX && oldest !== undefined) isolates.delete(oldest);
  return made;
}

function counted(bucket: R2Bucket): R2Bucket {
  return new Proxy(bucket, {
    get(target, name): unknown {
      if (name === "get")
        return (key: string, options?: R2GetOptions) =>
          countedRead({ key, options, make: () => target.get(key, options) });
      const member: unknown = Reflect.get(target, name);
      // A method of the runtime's own objects knows no other `this`.
      return typeof member === "function" ? member.bind(target) : member;
    },
  });
}

async function countedRead(read: BucketRead): Promise<unknown> {
  const invocation = invocations.getStore();
  if (invocation === undefined) return read.make();
  const { tally, around } = invocation;
  const { account } = tally;
  account.reads += 1;
  if (tally.waiting === 0) account.rounds += 1;
  tally.waiting += 1;
  try {
    const object = await around(read);
    account.bytes += bytesOf(object);
    return object;
  } finally {
    tally.waiting -= 1;
  }
}

/** Of the range that came. */
function bytesOf(object: unknown): number {
  if (typeof object !== "object" || object === null || !("body" in object)) return 0;
  const range: unknown = Reflect.get(object, "range");
  if (typeof range === "object" && range !== null && "length" in range) return Number(range.length);
  return Number(Reflect.get(object, "size"));
}

/** The least that any answer from the store can take. */
async function readByte({ COLD, NETWORK }: EdgeBindings): Promise<Response> {
  const key = manifestKey(networkSchema.parse(JSON.parse(NETWORK)).embedding);
  const object = await COLD.get(key, { range: { offset: 0, length: 1 } });
  return new Response(object === null ? "" : await object.text());
}
