import { ColdFormatError } from "../../cold/format-error.ts";
import { type ArtefactHead, checkRows, openHead } from "./artefact.ts";

/** Returns the head of this model. @throws {ColdFormatError} for a damaged head, or another model's. */
export function openHeadOf(model: string, bytes: Uint8Array): ArtefactHead {
  const head = openHead(bytes);
  if (head.about.model !== model)
    throw new ColdFormatError(`expected the embedding ${model}, got ${head.about.model}`);
  return head;
}

/** Returns the opened head. @throws {ColdFormatError} when these are not head and rows of this model, whole. */
export function checkArtefact(
  model: string,
  { head, rows }: { readonly head: Uint8Array; readonly rows: Uint8Array },
): ArtefactHead {
  const opened = openHeadOf(model, head);
  checkRows(opened, rows);
  return opened;
}
