/** How much of a bucket one answer of a comparison reads. */

/**
 * An invocation on a paid plan has 10,000 subrequests today and had 1,000 for years; on the free one, 50, there is no comparing.
 * https://developers.cloudflare.com/workers/platform/limits/#subrequests
 */
const SUBREQUESTS_MAX = 1_000;
/** The manifest, the segments' resident parts, a base's root with the ids of four million documents. */
const OPENING_READS_MAX = 230;
/** Of a row that lies alone: its text, its vector, its vector once more where those of its neighbours are damaged. */
const READS_A_ROW_MAX = 3;

/** Rows, with some ten megabytes in memory, and as many blocks as that. */
export const ROWS_MAX = Math.floor((SUBREQUESTS_MAX - OPENING_READS_MAX) / READS_A_ROW_MAX);
