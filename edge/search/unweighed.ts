/** Says that rare words count no more than frequent ones: scores are others than usual. */
export const UNWEIGHED = "the term statistics could not be read: every word counts alike";
