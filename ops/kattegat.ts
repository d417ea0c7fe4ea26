/** The operator's command. */
import { readFileSync } from "node:fs";
import { checkNetwork } from "@kattegat/config/check.ts";
import { NetworkFileError, parseNetwork } from "@kattegat/config/load.ts";
import { KattegatError } from "@kattegat/protocol/errors.ts";
import { Command, CommanderError } from "commander";
import { createClient, NoConnectionError, type Client } from "./client/client.ts";
import { dataFolder } from "./local/folder.ts";
import { readSettings, SettingsError } from "./settings.ts";

interface Options {
  readonly json?: boolean;
  readonly limit?: string;
  readonly mode?: string;
  readonly country?: string;
}

const FINDING = 1;
const USAGE = 2;
const REFUSED = 3;

// oxlint-disable-next-line node/no-process-env -- this is the command's settings' one reader
const settings = readSettings(process.env);

function client(): Client {
  return createClient({
    url: `http://127.0.0.1:${settings.port}`,
    key: readFileSync(dataFolder(settings.data).adminKey, "utf8").trim(),
  });
}

async function search(
  query: string,
  { json, limit = "10", mode = "hybrid", country }: Options,
): Promise<void> {
  const answer = await client().search(
    { query, limit: Number(limit), mode },
    country === undefined ? {} : { country },
  );
  if (json === true) return console.log(JSON.stringify(answer, null, 2));
  for (const [index, hit] of answer.hits.entries()) {
    console.log(
      `${index + 1}. ${hit.title}\n   ${hit.passage_id} · ${hit.tier} · ${hit.site} · ${hit.residency} · ${hit.score.toFixed(4)}\n   ${hit.snippet}\n`,
    );
  }
  const tiers = answer.tiers
    .map(({ tier, site, status, took_ms }) => `${tier} at ${site}: ${status} (${took_ms.toFixed(0)} ms)`)
    .join(", ");
  console.log(`${answer.partial ? "PARTIAL · " : ""}${answer.took_ms.toFixed(0)} ms · ${tiers}`);
  if (answer.not_served.length > 0) console.log(`not served here: ${answer.not_served.join(", ")}`);
}

async function status({ json }: Options): Promise<void> {
  const network = await client().network();
  if (json === true) return console.log(JSON.stringify(network, null, 2));
  for (const site of network.sites) {
    const lag =
      site.lag_ms === null ? "" : `lag ${Math.round(site.lag_ms)} ms, ${site.lag_changes ?? 0} changes`;
    console.log(
      `${site.id.padEnd(12)} ${site.kind.padEnd(9)} ${(site.city ?? "").padEnd(11)} ${site.health.padEnd(12)} ${(site.watermark ?? "–").padStart(8)}  ${lag} ${site.url ?? ""}`,
    );
  }
  for (const tier of network.tiers)
    console.log(
      `${tier.tier.padEnd(12)} ${tier.documents.toLocaleString("en")} of ${tier.capacity.toLocaleString("en")} documents, ${tier.passages.toLocaleString("en")} passages`,
    );
  for (const { name, documents } of network.classes)
    console.log(`${name.padEnd(12)} ${documents.toLocaleString("en")} documents`);
}

function configCheck(file: string | undefined, { json }: Options): void {
  const path = file ?? settings.config;
  const network = parseNetwork(readFileSync(path, "utf8"), { file: path });
  const findings = checkNetwork(network, { today: new Date().toISOString().slice(0, 10), workers: [] });
  if (json === true) console.log(JSON.stringify(findings, null, 2));
  else for (const finding of findings) console.log(JSON.stringify(finding));
  if (findings.some(({ severity }) => severity !== "note")) process.exitCode = FINDING;
}

const program = new Command("kattegat").description("Operates a Kattegat network.").exitOverride();
program
  .command("search <query>")
  .description('Searches all tiers, such as: kattegat search "enhver har ret til undervisning"')
  .option("--limit <n>", "hits, 1 to 100")
  .option("--mode <mode>", "hybrid, dense or lexical")
  .option("--country <code>", "the caller's country, in the local network alone")
  .option("--json", "the whole answer as JSON")
  .action(search);
program
  .command("status")
  .description("Shows sites, tiers and classes.")
  .option("--json", "as JSON")
  .action(status);
program
  .command("config")
  .description("Works on the network file.")
  .command("check [file]")
  .description("Finds every problem of the network file.")
  .option("--json", "findings as JSON")
  .action(configCheck);

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : USAGE;
  } else if (error instanceof NetworkFileError) {
    console.error(error.message);
    process.exitCode = FINDING;
  } else if (
    error instanceof KattegatError ||
    error instanceof NoConnectionError ||
    error instanceof SettingsError
  ) {
    console.error(error.message);
    process.exitCode = error instanceof SettingsError ? USAGE : REFUSED;
  } else {
    throw error;
  }
}
