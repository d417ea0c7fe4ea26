/**
 * The 32-bit hash that names a term at every site.
 *
 * FNV-1a over the UTF-8 bytes, then MurmurHash3's finaliser, because the low bits of plain FNV are too regular to pick an
 * embedding dimension with. UTF-8 is made in place: no allocation. A lone surrogate counts as U+FFFD, as TextEncoder has it.
 *
 * Two terms may share a hash: among 200,000 terms about five pairs do (n² / 2³³). Such a pair shares one posting list, so a
 * rare false match is possible; a match is never lost.
 */
export function hash32(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) {
    let code = text.charCodeAt(i);
    if (code < 0x80) {
      hash = Math.imul(hash ^ code, 0x01000193);
      continue;
    }
    if (code >= 0xd800 && code <= 0xdfff) {
      const next = text.charCodeAt(i + 1);
      if (code < 0xdc00 && next >= 0xdc00 && next <= 0xdfff) {
        code = 0x10000 + ((code - 0xd800) << 10) + (next - 0xdc00);
        i += 1;
      } else {
        code = 0xfffd;
      }
    }
    hash = hashCodePoint(hash, code);
  }
  return finish(hash);
}

function hashCodePoint(start: number, code: number): number {
  let hash = start;
  if (code < 0x800) {
    hash = Math.imul(hash ^ (0xc0 | (code >> 6)), 0x01000193);
  } else {
    if (code < 0x10000) {
      hash = Math.imul(hash ^ (0xe0 | (code >> 12)), 0x01000193);
    } else {
      hash = Math.imul(hash ^ (0xf0 | (code >> 18)), 0x01000193);
      hash = Math.imul(hash ^ (0x80 | ((code >> 12) & 63)), 0x01000193);
    }
    hash = Math.imul(hash ^ (0x80 | ((code >> 6) & 63)), 0x01000193);
  }
  return Math.imul(hash ^ (0x80 | (code & 63)), 0x01000193);
}

function finish(start: number): number {
  let hash = start;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
