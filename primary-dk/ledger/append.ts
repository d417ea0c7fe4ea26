/** The writing of entries in a transaction. */
import { hash } from "node:crypto";
import type postgres from "postgres";
import { hexOf } from "../postgres/hex.ts";
import { encodeEntry, type LedgerEntry } from "./entry.ts";
import { leafHash, type Hash } from "./merkle.ts";

export function chainOf(before: Hash, leaf: Hash): Hash {
  return hash("sha256", Buffer.concat([before, leaf]), "buffer");
}

/** Entries get the next places; the lock on the head lives until the commit, so places are in commit order. */
export async function appendEntries(
  tx: postgres.TransactionSql,
  entries: readonly LedgerEntry[],
): Promise<void> {
  if (entries.length === 0) return;
  const [head] = await tx`select size, chain from ledger_head for update`;
  if (head === undefined)
    throw new TypeError("expected one row in ledger_head; the database was not migrated");
  let index = BigInt(head["size"]);
  let chain: Hash = head["chain"];
  const rows = entries.map((entry) => {
    const text = encodeEntry(entry);
    const leaf = leafHash(text);
    chain = chainOf(chain, leaf);
    const document = entry.kind === "state" ? null : `\\x${entry.document}`;
    const row = { index: String(index), document, entry: text, leaf: hexOf(leaf), chain: hexOf(chain) };
    index += 1n;
    return row;
  });
  await Promise.all([
    tx`insert into ledger_entries select * from json_populate_recordset(null::ledger_entries, ${JSON.stringify(rows)}::text::json)`,
    tx`update ledger_head set size = ${String(index)}, chain = ${chain}`,
  ]);
}
