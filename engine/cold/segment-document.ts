/** A document as a segment lists it. */
export interface SegmentDocument {
  readonly documentId: string;
  readonly version: string;
  readonly epoch: number;
  readonly residency: string;
  readonly passages: number;
}
