/** Checkpoints of the ledger as signed notes (C2SP signed-note, tlog-checkpoint). */
import { createHash, createPrivateKey, createPublicKey, sign, type KeyObject } from "node:crypto";
import type { Hash } from "./merkle.ts";

/** "Ed25519" of C2SP signed-note. */
const ALGORITHM = 1;

export class NoteSigner {
  /** Names the log in each checkpoint; one line without spaces or "+". */
  readonly origin: string;
  readonly #key: KeyObject;
  readonly #publicKey: Buffer;

  /** `pem` is an Ed25519 private key in PKCS #8. */
  constructor(origin: string, pem: string) {
    this.origin = origin;
    this.#key = createPrivateKey(pem);
    if (this.#key.asymmetricKeyType !== "ed25519")
      throw new TypeError(`expected an Ed25519 key, got ${this.#key.asymmetricKeyType ?? "none"}`);
    const jwk = createPublicKey(this.#key).export({ format: "jwk" });
    this.#publicKey = Buffer.from(jwk.x ?? "", "base64url");
  }

  /** What an auditor needs to verify: name, key id, algorithm and key (C2SP signed-note, "verifier keys"). */
  get verifierKey(): string {
    const key = Buffer.concat([Uint8Array.of(ALGORITHM), this.#publicKey]);
    return `${this.origin}+${this.#keyId().toString("hex")}+${key.toString("base64")}`;
  }

  checkpoint({ size, root }: { readonly size: number; readonly root: Hash }): string {
    const text = `${this.origin}\n${size}\n${Buffer.from(root).toString("base64")}\n`;
    const signature = sign(null, Buffer.from(text, "utf8"), this.#key);
    const line = Buffer.concat([this.#keyId(), signature]).toString("base64");
    return `${text}\n— ${this.origin} ${line}\n`;
  }

  #keyId(): Buffer {
    return createHash("sha256")
      .update(`${this.origin}\n`)
      .update(Uint8Array.of(ALGORITHM))
      .update(this.#publicKey)
      .digest()
      .subarray(0, 4);
  }
}
