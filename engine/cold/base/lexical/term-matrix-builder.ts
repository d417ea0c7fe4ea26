import type { PostingDecoder } from "./posting-decoder.ts";
import { readRun } from "./posting-run.ts";
import {
  createTermMatrix,
  MATRIX_REST_SHARE_MAX,
  MATRIX_SHARE_MIN,
  MATRIX_TERMS_MAX,
  placeInRow,
  REST_CODE,
  type TermMatrix,
} from "./term-matrix.ts";
import type { PageTerm } from "./term-page.ts";

/** Returns the matrix of the most frequent of the terms. */
export function buildTermMatrix(
  candidates: readonly PageTerm[],
  { rows, decoder }: { readonly rows: number; readonly decoder: PostingDecoder },
): TermMatrix {
  const chosen = candidates
    .filter(({ count }) => count >= rows * MATRIX_SHARE_MIN)
    .map((term) => ({ term, rest: restOf(term, decoder) }))
    .filter(({ term, rest }) => rest <= term.count * MATRIX_REST_SHARE_MAX)
    .sort((a, b) => b.term.count - a.term.count || a.term.id - b.term.id)
    .slice(0, MATRIX_TERMS_MAX)
    .sort((a, b) => a.term.id - b.term.id);
  const matrix = createTermMatrix(rows, {
    ids: Uint32Array.from(chosen, ({ term }) => term.id),
    rest: chosen.reduce((sum, { rest }) => sum + rest, 0),
  });
  chosen.forEach(({ term, rest }, i) => {
    matrix.counts[i] = term.count;
    matrix.restStarts[i + 1] = (matrix.restStarts[i] ?? 0) + rest;
    fill(matrix, { number: i, term, decoder });
  });
  return matrix;
}

function restOf({ postings, count }: PageTerm, decoder: PostingDecoder): number {
  let rest = 0;
  readRun({ bytes: postings, at: 0, end: postings.length, count, previous: -1 }, decoder, (size) => {
    for (let i = 0; i < size; i += 1) if (codeOf(decoder.frequencies[i] ?? 0) === REST_CODE) rest += 1;
  });
  return rest;
}

function fill(
  matrix: TermMatrix,
  { number, term, decoder }: { number: number; term: PageTerm; decoder: PostingDecoder },
): void {
  const { postings, count } = term;
  const { word, shift } = placeInRow(number);
  let next = matrix.restStarts[number] ?? 0;
  readRun({ bytes: postings, at: 0, end: postings.length, count, previous: -1 }, decoder, (size) => {
    for (let i = 0; i < size; i += 1) {
      const row = decoder.rows[i] ?? 0;
      const code = codeOf(decoder.frequencies[i] ?? 0);
      const at = row * matrix.wordsPerRow + word;
      matrix.codes[at] = (matrix.codes[at] ?? 0) | (code << shift);
      if (code !== REST_CODE) continue;
      matrix.restRows[next] = row;
      matrix.restValues[next] = decoder.values[i] ?? 0;
      next += 1;
    }
  });
}

function codeOf(frequency: number): number {
  return frequency > 0 && frequency < REST_CODE ? frequency : REST_CODE;
}
