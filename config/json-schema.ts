/** Makes the JSON Schema of the network file, which editors check it with while it is written. */
import { z } from "zod";

import { networkSchema } from "./network.ts";

/** The text of `config/network.schema.json`: draft 2020-12, two spaces, a line feed at the end. */
export function networkJsonSchema(): string {
  const schema = z.toJSONSchema(networkSchema, { target: "draft-2020-12", io: "input" });
  const document = {
    ...schema,
    title: "Kattegat network file",
    description: "Sites, tiers and residency classes of a Kattegat network.",
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}
