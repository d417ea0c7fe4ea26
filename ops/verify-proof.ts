/**
 * Verifies a proof of the ledger, alone: needs this file, Node, the proof, and the ledger's verifier key from a source that you trust.
 *
 *   node verify-proof.ts PROOF.json --key VERIFIER_KEY
 *
 * What an accepted proof says: at the signed checkpoint the operator's ledger did, or did not, record a copy of the document at the site.
 * What it does not say: where bytes physically are. A ledger binds its operator to what was recorded; an audit compares it with the stores.
 *
 * Merkle trees as in RFC 6962, section 2.1; checkpoints as in C2SP signed-note and tlog-checkpoint.
 */
import { createHash, createPublicKey, verify } from "node:crypto";
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";

/** The size of the tree of buckets: by the first two bytes of a document's hash. */
const BUCKETS = 65_536;
const ALGORITHM_ED25519 = 1;
/** "SubjectPublicKeyInfo" of an Ed25519 key but for the key (RFC 8410, section 4). */
const ED25519_PREFIX = Buffer.from("302a300506032b6570032100", "hex");

export interface VerifiedProof {
  readonly document: string;
  readonly site: string;
  /** Whether the ledger records a copy there. */
  readonly recorded: boolean;
  /** What it records of the copy: state, class, jurisdiction, policy, time. */
  readonly copy: Readonly<Record<string, unknown>> | null;
  readonly origin: string;
  readonly size: number;
  /** When the state of all copies was recorded. */
  readonly at: string;
}

/** The proof does not show what it says. */
export class ProofError extends Error {
  override readonly name = "ProofError";
}

/** @throws {ProofError} that says which step failed. */
export function verifyProof(proof: unknown, verifierKey: string): VerifiedProof {
  const file = objectOf(proof, "the proof");
  if (file["format"] !== "kattegat-ledger-proof/1")
    fail(`expected the format kattegat-ledger-proof/1, got ${String(file["format"])}`);
  const statement = objectOf(file["statement"], "statement");
  const document = textOf(statement["document"], "statement.document");
  const site = textOf(statement["site"], "statement.site");
  const { origin, size, root } = openNote(textOf(file["checkpoint"], "checkpoint"), verifierKey);
  const state = stateOf(objectOf(file["state"], "state"), { size, root });
  const hash = createHash("sha256").update(document, "utf8").digest();
  const records = recordsOf(file, { hash, copiesRoot: state.root });
  const copy = copyAt(records, { hash, site });
  if (statement["recorded"] !== (copy !== null))
    fail(`the statement says recorded: ${String(statement["recorded"])}, the ledger says ${copy !== null}`);
  return { document, site, recorded: copy !== null, copy, origin, size, at: state.at };
}

/** @throws {ProofError} when the note is not signed by the key. */
export function openNote(
  note: string,
  verifierKey: string,
): { readonly origin: string; readonly size: number; readonly root: Buffer } {
  const [name = "", keyId = "", ...rest] = verifierKey.trim().split("+");
  const key = Buffer.from(rest.join("+"), "base64");
  if (key.length !== 33 || key[0] !== ALGORITHM_ED25519)
    fail("expected the verifier key of an Ed25519 signer: NAME+ID+KEY");
  const id = createHash("sha256").update(`${name}\n`).update(key).digest().subarray(0, 4);
  if (id.toString("hex") !== keyId) fail("the verifier key's id is not that of its name and key");
  const end = note.lastIndexOf("\n\n");
  const text = note.slice(0, end + 1);
  const line = note
    .slice(end + 2)
    .split("\n")
    .find((candidate) => candidate.startsWith(`— ${name} `));
  if (end < 0 || line === undefined) fail(`the checkpoint has no signature by ${name}`);
  const signature = Buffer.from(line?.slice(name.length + 3) ?? "", "base64");
  const publicKey = createPublicKey({
    key: Buffer.concat([ED25519_PREFIX, key.subarray(1)]),
    format: "der",
    type: "spki",
  });
  if (
    !signature.subarray(0, 4).equals(id) ||
    !verify(null, Buffer.from(text, "utf8"), publicKey, signature.subarray(4))
  )
    fail("the checkpoint's signature is not by the verifier key");
  const [origin = "", sizeText = "", rootText = ""] = text.split("\n");
  const root = Buffer.from(rootText, "base64");
  if (origin !== name || !/^[1-9]\d{0,14}$/.test(sizeText) || root.length !== 32)
    fail("the checkpoint is malformed");
  return { origin, size: Number(sizeText), root };
}

/** The entry with the root of all copies is the last one below the checkpoint, so that nothing was recorded after it. */
function stateOf(
  state: Readonly<Record<string, unknown>>,
  { size, root }: { readonly size: number; readonly root: Buffer },
): { readonly root: Buffer; readonly at: string } {
  const text = textOf(state["entry"], "state.entry");
  const index = numberOf(state["index"], "state.index");
  if (index !== size - 1) fail("the state is not the last entry below the checkpoint");
  const computed = rootFrom(leafHash(Buffer.from(text, "utf8")), {
    index,
    size,
    path: pathOf(state["path"], "state.path"),
  });
  if (!computed.equals(root)) fail("the state's entry is not in the tree of the checkpoint");
  const entry = objectOf(JSON.parse(text), "state.entry");
  if (entry["kind"] !== "state") fail("the entry is not of the kind state");
  return {
    root: Buffer.from(textOf(entry["root"], "state.entry.root"), "base64"),
    at: textOf(entry["at"], "state.entry.at"),
  };
}

interface ProvenRecord {
  readonly index: number;
  readonly record: Readonly<Record<string, unknown>>;
  readonly hash: string;
}

interface Bucket {
  readonly documents: number;
  readonly records: readonly ProvenRecord[];
}

function recordsOf(
  file: Readonly<Record<string, unknown>>,
  { hash, copiesRoot }: { readonly hash: Buffer; readonly copiesRoot: Buffer },
): Bucket {
  const bucket = objectOf(file["bucket"], "bucket");
  const documents = numberOf(bucket["documents"], "bucket.documents");
  if (documents > 0xffff_ffff) fail("a bucket has at most 2^32 documents");
  const given = file["records"];
  if (!Array.isArray(given)) return fail("expected a list of records");
  if (documents > 0 && given.length === 0) fail("expected a record of a bucket that is not empty");
  const path = pathOf(bucket["path"], "bucket.path");
  const check = (bucketRoot: Buffer): void => {
    const count = Buffer.alloc(4);
    count.writeUInt32BE(documents);
    const leaf = leafHash(Buffer.concat([count, bucketRoot]));
    const root = rootFrom(leaf, { index: hash.readUInt16BE(0), size: BUCKETS, path });
    if (!root.equals(copiesRoot)) fail("the records are not in the state of all copies");
  };
  if (documents === 0) check(createHash("sha256").digest());
  const records = given.map((item: unknown): ProvenRecord => {
    const proven = objectOf(item, "record");
    const text = textOf(proven["record"], "record.record");
    const index = numberOf(proven["index"], "record.index");
    check(
      rootFrom(leafHash(Buffer.from(text, "utf8")), {
        index,
        size: documents,
        path: pathOf(proven["path"], "record.path"),
      }),
    );
    const record = objectOf(JSON.parse(text), "record");
    const id = textOf(record["document"], "record.document");
    if (!/^[0-9a-f]{64}$/.test(id) || !id.startsWith(hash.toString("hex", 0, 2)))
      fail("a record is not of the document's bucket");
    return { index, record, hash: id };
  });
  return { documents, records };
}

/** The copy that the document's record has at the site; null when it has none, or when two neighbours leave no room for a record. */
function copyAt(
  { documents, records }: Bucket,
  { hash, site }: { readonly hash: Buffer; readonly site: string },
): Readonly<Record<string, unknown>> | null {
  const wanted = hash.toString("hex");
  const own = records.find((record) => record.hash === wanted);
  if (own !== undefined) {
    const copies = own.record["copies"];
    if (!Array.isArray(copies)) return fail("expected the copies of the record");
    return (
      copies.map((copy: unknown) => objectOf(copy, "copy")).find((copy) => copy["site"] === site) ?? null
    );
  }
  const before = records.find((record) => record.hash < wanted);
  const after = records.find((record) => record.hash > wanted);
  const isFirst = before === undefined ? after === undefined || after.index === 0 : true;
  const isLast = after === undefined ? before === undefined || before.index === documents - 1 : true;
  const isAdjacent = before === undefined || after === undefined || after.index === before.index + 1;
  if (documents > 0 && before === undefined && after === undefined)
    fail("expected a neighbour of the document");
  if (!isFirst || !isLast || !isAdjacent)
    fail("the records beside the document leave room for one of its own");
  return null;
}

function leafHash(data: Buffer): Buffer {
  return createHash("sha256").update(Uint8Array.of(0)).update(data).digest();
}

function nodeHash(left: Buffer, right: Buffer): Buffer {
  return createHash("sha256").update(Uint8Array.of(1)).update(left).update(right).digest();
}

/** The root that an audit path leads to (RFC 9162, section 2.1.3.2). */
export function rootFrom(
  leaf: Buffer,
  { index, size, path }: { readonly index: number; readonly size: number; readonly path: readonly Buffer[] },
): Buffer {
  if (index < 0 || index >= size) return fail("an index is not below its tree's size");
  let at = index;
  let last = size - 1;
  let root = leaf;
  for (const sibling of path) {
    if (last === 0) return fail("an audit path is too long");
    if (at % 2 === 1 || at === last) {
      root = nodeHash(sibling, root);
      while (at % 2 === 0 && at !== 0) {
        at = Math.floor(at / 2);
        last = Math.floor(last / 2);
      }
    } else root = nodeHash(root, sibling);
    at = Math.floor(at / 2);
    last = Math.floor(last / 2);
  }
  if (last !== 0) return fail("an audit path is too short");
  return root;
}

function fail(reason: string): never {
  throw new ProofError(reason);
}

function objectOf(value: unknown, name: string): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return fail(`expected an object: ${name}`);
  return Object.fromEntries(Object.entries(value));
}

function textOf(value: unknown, name: string): string {
  return typeof value === "string" ? value : fail(`expected a text: ${name}`);
}

function numberOf(value: unknown, name: string): number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0
    ? value
    : fail(`expected a whole number: ${name}`);
}

function pathOf(value: unknown, name: string): readonly Buffer[] {
  if (!Array.isArray(value) || value.length > 64) return fail(`expected an audit path: ${name}`);
  return value.map((hash: unknown) => {
    const bytes = Buffer.from(textOf(hash, name), "base64");
    return bytes.length === 32 ? bytes : fail(`expected hashes of 32 bytes: ${name}`);
  });
}

function readArguments() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: { key: { type: "string" }, json: { type: "boolean" } },
    });
  } catch {
    return null;
  }
}

function main(): number {
  const read = readArguments();
  const path = read?.positionals[0];
  const values = read?.values;
  if (path === undefined || values?.key === undefined) {
    console.error("usage: node verify-proof.ts PROOF.json --key VERIFIER_KEY [--json]");
    return 2;
  }
  try {
    const verified = verifyProof(JSON.parse(readFileSync(path, "utf8")), values.key);
    const { document, site, recorded, copy, origin, size, at } = verified;
    const state = copy?.["applied"] === null ? "planned" : "applied";
    const says = recorded ? `records a copy (${state}, class ${String(copy?.["class"])})` : "records no copy";
    console.log(
      values.json === true
        ? JSON.stringify({ accepted: true, ...verified }, null, 2)
        : `accepted: ${origin} of ${size} entries ${says} of ${document} at ${site}, as of ${at}`,
    );
    return 0;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    if (values.json === true) console.log(JSON.stringify({ accepted: false, reason }, null, 2));
    else console.error(`rejected: ${reason}`);
    return 1;
  }
}

if (import.meta.main) process.exitCode = main();
