import { ColdFormatError } from "../../cold/format-error.ts";
import { type ArtefactHead, checkRows, openHead } from "./artefact.ts";

/** Returns the head of this model. @throws {ColdFormatError} for a damaged head, or another model's. */
export function openHeadOf(model: string, bytes: Uint8Array): ArtefactHead {
  const head = openHead(bytes);
  if (head.about.model !== model)
    throw new ColdFormatError(`expected the embedding ${model}, got ${head.about.model}`);
  return head;
}

/** @throws {ColdFormatError} when these are not head and rows of this model, whole. */
export function checkArtefact(
  model: string,
  { head, rows }: { readonly head: Uint8Array; readonly rows: Uint8Array },
): void {
  checkRows(openHeadOf(model, head), rows);
}
