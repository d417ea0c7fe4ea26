/** Helper process that sends the samples: it takes their memory with it when it ends. */
import { required } from "../local/host.ts";
import { createClient } from "../client/client.ts";
import { sendDocuments, type OutgoingDocument } from "../ingest/sender.ts";
import { declarations } from "./declarations.ts";
import { licences } from "./licences.ts";
import type { LoaderMessage } from "./messages.ts";
import type { Sample } from "./sample.ts";

/** In `few`, every so many-th document besides the leading ones. */
const FEW_STEP = 12;

const stopping = new AbortController();
process.once("disconnect", () => process.exit());
process.on("SIGTERM", () => stopping.abort(new Error("stopped")));

const few = required("KATTEGAT_SAMPLE") === "few";
const samples = [...declarations(), ...licences()].filter(
  ({ always }, index) => !few || always || index % FEW_STEP === 0,
);
const client = createClient({ url: required("KATTEGAT_URL"), key: required("KATTEGAT_KEY") });

function tell(message: LoaderMessage): void {
  process.send?.(message);
}

tell({ kind: "total", documents: samples.length });
try {
  await sendDocuments(outgoing(samples), {
    client,
    signal: stopping.signal,
    events: {
      acknowledged: () => tell({ kind: "acknowledged" }),
      refused: ({ id, code, detail }) => tell({ kind: "refused", id: id ?? "a document", code, detail }),
      waiting: (reason) => tell({ kind: "waiting", reason }),
    },
  });
} catch (error) {
  // A stop is no failure; any other is told in one sentence.
  if (!stopping.signal.aborted)
    tell({ kind: "failed", reason: error instanceof Error ? error.message : String(error) });
  process.exitCode = 1;
}
process.disconnect();

/** The texts themselves are read one by one, as the sender asks for them. */
async function* outgoing(wanted: readonly Sample[]): AsyncGenerator<OutgoingDocument, void, undefined> {
  for (const [index, { make }] of wanted.entries()) {
    const document = make();
    yield {
      line: index + 1,
      id: document.id,
      passages: document.passages?.length ?? 1,
      json: JSON.stringify(document),
    };
  }
}
