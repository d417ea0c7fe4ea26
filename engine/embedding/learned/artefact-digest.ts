/**
 * Returns sixteen hexadecimal digits that name these bytes.
 *
 * Two lanes of MurmurHash3's 32-bit mixing with different seeds. It tells models apart, it does not authenticate them: who may
 * write the artefact may write the index too.
 */
export function digestOf(parts: readonly Uint8Array[]): string {
  let left = 0x243f6a88;
  let right = 0x85a308d3;
  for (const part of parts) {
    left = mix(left, part.byteLength);
    for (const byte of part) {
      left = mix(left, byte);
      right = mix(right, byte ^ 0x5a);
    }
  }
  return hexOf(left) + hexOf(right);
}

function mix(hash: number, value: number): number {
  const k = Math.imul(value + 1, 0xcc9e2d51);
  const mixed = hash ^ Math.imul((k << 15) | (k >>> 17), 0x1b873593);
  return (Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe6546b64) | 0;
}

function hexOf(start: number): string {
  let hash = Math.imul(start ^ (start >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0).toString(16).padStart(8, "0");
}
