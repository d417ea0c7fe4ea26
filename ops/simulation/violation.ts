/** What a history shows that may not be. */
export class Violation extends Error {}
