/** What a Qdrant server does, as far as a regional site relies on it; each case holds for the real server and the embedded one. */
import { describeCollectionKinds, describeCollections } from "./cases/collections.ts";
import { describeFilters } from "./cases/filters.ts";
import { COLLECTION, POINTS } from "./cases/points.fixture.ts";
import { describePointRefusals, describePoints, describePointWrites } from "./cases/points.ts";
import { describeAnswers, describeGroups, describeQueries } from "./cases/queries.ts";
import { describeServer } from "./cases/server.ts";
import { describeVacuum } from "./cases/vacuum.ts";
import type { Call, QdrantUnderTest } from "./qdrant-under-test.ts";

/** Declares the cases; `qdrant` is called inside of them, when the server runs. */
export function describeQdrant(qdrant: () => QdrantUnderTest): void {
  const call: Call = (method, path, body) => qdrant().call(method, path, body);
  async function filled(): Promise<string> {
    const name = qdrant().newName();
    const created = await call("PUT", `/collections/${name}`, COLLECTION);
    const written = await call("PUT", `/collections/${name}/points?wait=true`, { points: POINTS });
    if (created.status !== 200 || written.status !== 200)
      throw new Error(`expected a filled collection: ${created.error} ${written.error}`);
    return name;
  }
  describeServer(call, qdrant);
  describeCollections(call, qdrant);
  describeCollectionKinds(call, qdrant);
  describePoints(call, filled);
  describePointRefusals(call, filled);
  describePointWrites(call, filled);
  describeFilters(call, filled);
  describeQueries(call, filled);
  describeAnswers(call, filled);
  describeGroups(call, filled);
  describeVacuum(call, qdrant);
}
