/** What an S3 server answers, as XML. */
import { KattegatError, type ErrorCode } from "@kattegat/protocol/errors.ts";
import { parseXml, type XmlElement } from "@rgrove/parse-xml";
import { childrenOf } from "./xml.ts";

/** One version of an object; of a bucket that keeps none, the object. */
export interface ObjectVersion {
  readonly key: string;
  /** Null where the server tells none. */
  readonly version: string | null;
  readonly isLatest: boolean;
  readonly bytes: number;
  readonly modifiedAt: string;
}

export interface VersionPage {
  readonly versions: readonly ObjectVersion[];
  /** Of the next page, as parameters of its request; null at the end. */
  readonly next: Readonly<Record<string, string>> | null;
}

function textOf(element: XmlElement, name: string): string | null {
  return childrenOf(element, name)[0]?.text ?? null;
}

/** @throws {KattegatError} `unavailable`: something else than an S3 server answers there. */
function rootOf(text: string): XmlElement {
  try {
    const { root } = parseXml(text);
    if (root !== null) return root;
  } catch {
    // As for a document without a root.
  }
  throw new KattegatError("unavailable", "Expected the XML of an S3 server; something else came.");
}

/** Of `ListObjectVersions`, markers of deleted objects included, or of `ListObjectsV2`. */
export function pageOf(text: string): VersionPage {
  const root = rootOf(text);
  const versions = childrenOf(root, "Version", "DeleteMarker", "Contents").map((entry): ObjectVersion => {
    const isLatest = entry.name === "Contents" || textOf(entry, "IsLatest") === "true";
    return {
      key: textOf(entry, "Key") ?? "",
      version: textOf(entry, "VersionId"),
      isLatest: isLatest && entry.name !== "DeleteMarker",
      bytes: Number(textOf(entry, "Size") ?? 0),
      modifiedAt: textOf(entry, "LastModified") ?? "",
    };
  });
  if (textOf(root, "IsTruncated") !== "true") return { versions, next: null };
  const token = textOf(root, "NextContinuationToken");
  const key = textOf(root, "NextKeyMarker");
  const version = textOf(root, "NextVersionIdMarker");
  if (token !== null) return { versions, next: { "continuation-token": token } };
  if (key === null) throw new KattegatError("unavailable", "Expected a cut list to say where it goes on.");
  return {
    versions,
    next: { "key-marker": key, ...(version === null ? {} : { "version-id-marker": version }) },
  };
}

/** Whether the bucket keeps versions: `Enabled`, `Suspended`; null for one that never has. */
export function versioningOf(text: string): "Enabled" | "Suspended" | null {
  const status = textOf(rootOf(text), "Status");
  return status === "Enabled" || status === "Suspended" ? status : null;
}

/** @throws {KattegatError} for the first object that could not be deleted. */
export function assertDeleted(text: string, bucket: string): void {
  for (const error of childrenOf(rootOf(text), "Error")) {
    const code = textOf(error, "Code") ?? "";
    if (code !== "NoSuchKey" && code !== "NoSuchVersion") throw failureOf({ status: 409, code, bucket });
  }
}

/** `code` of the error that the server sent; null when it sent none. */
export function errorCodeOf(text: string): string | null {
  try {
    return textOf(rootOf(text), "Code");
  } catch {
    return null;
  }
}

interface Failure {
  readonly status: number;
  readonly code: string | null;
  readonly bucket: string;
}

const REMEDIES: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  NoSuchBucket: [
    "not_found",
    "It does not exist. Make it in the archive's country, or name another in the network file.",
  ],
  AccessDenied: [
    "forbidden",
    "The key may not do this. Allow it to list (versions too), get, put and delete; a bucket that is locked against deletion cannot be an archive.",
  ],
  InvalidAccessKeyId: [
    "forbidden",
    "The key is not known there. Give the archive's own in AWS_ACCESS_KEY_ID.",
  ],
  SignatureDoesNotMatch: [
    "forbidden",
    "The signature is wrong. Compare AWS_SECRET_ACCESS_KEY and AWS_REGION with the bucket's.",
  ],
  RequestTimeTooSkewed: ["unavailable", "The clocks differ by more than 15 minutes. Set them right."],
  PreconditionFailed: ["conflict", "Somebody else has written it meanwhile."],
  EntityTooLarge: ["too_large", "The object is larger than the server takes."],
  InsufficientStorage: ["unavailable", "The disk is full. Make room; replication goes on by itself."],
  XMinioStorageFull: ["unavailable", "The disk is full. Make room; replication goes on by itself."],
};

/** What the operator is told; never a key of an object, which names a document. */
export function failureOf({ status, code, bucket }: Failure): KattegatError {
  const [kind, remedy] = REMEDIES[code ?? ""] ?? [status === 413 ? "too_large" : "unavailable", ""];
  const told = `The bucket ${bucket} answered ${status}${code === null ? "" : ` ${code}`}.`;
  return new KattegatError(kind, remedy === "" ? told : `${told} ${remedy}`);
}
