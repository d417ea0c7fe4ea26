/** The collection that the cases look at. */

export const COLLECTION = {
  vectors: { dense: { size: 4, distance: "Cosine" } },
  sparse_vectors: { lexical: {} },
};
export const UUID = "2a24d1a4-6f2b-5d3c-9a1e-0123456789ab";

export const POINTS = [
  {
    id: 1,
    vector: { dense: [1, 0, 0, 0], lexical: { indices: [5, 2], values: [1, 2] } },
    payload: {
      document_id: "a",
      ordinal: 1,
      lang: "da",
      n: 1,
      tags: ["x", "y"],
      people: [
        { name: "A", age: 1 },
        { name: "B", age: 2 },
      ],
    },
  },
  {
    id: 2,
    vector: { dense: [3, 3, 0, 0], lexical: { indices: [5], values: [3] } },
    payload: { document_id: "a", ordinal: 2, lang: "da", n: 2.5, tags: [], flag: true },
  },
  {
    id: 10,
    vector: { dense: [0, 1, 0, 0] },
    payload: {
      document_id: "b",
      ordinal: 1,
      lang: null,
      n: 10,
      at: "2020-06-01T12:00:00Z",
      text: "Right to Education",
    },
  },
  {
    id: UUID,
    vector: { dense: [0, 0, 1, 0], lexical: { indices: [2], values: [1] } },
    payload: { document_id: "c", ordinal: 1, at: "2024-01-01", nested: { key: "v" } },
  },
];
