/** The commands of `kattegat embedding`. */
import { constants, setPriority } from "node:os";
import { resolve } from "node:path";
import { LEARNED_DIMENSIONS } from "@kattegat/config/embedding-consistency.ts";
import { trainingClasses, type TrainingClasses } from "@kattegat/config/embedding-residency.ts";
import type { Network } from "@kattegat/config/network.ts";
import { embeddingsFolder } from "@kattegat/primary-dk/embedding/artefact-files.ts";
import { keyringFolder, type KeyringPlace } from "@kattegat/primary-dk/sealing/keyring.ts";
import { trainInThread } from "@kattegat/primary-dk/embedding/train-in-thread.ts";
import { describeTrained, listTrained } from "@kattegat/primary-dk/embedding/trained.ts";
import { InvalidArgumentError, type Command } from "commander";
import { readNetwork } from "../configured-network.ts";
import { databaseUrlOf } from "../local/database-url.ts";
import { dataFolder } from "../local/folder.ts";
import {
  formatLeftOut,
  formatProgress,
  formatTrained,
  formatTrainedList,
  networkFileLine,
} from "../output/embedding-text.ts";
import { EXIT, UsageError } from "../output/exit.ts";
import type { Terminal } from "../output/terminal.ts";
import type { Settings } from "../settings.ts";
import { formatModelStatus, isSettled, modelStatusOf } from "../output/model-text.ts";
import { connect, connectionOptions, wholeNumber, type ConnectionOptions } from "./connection.ts";

interface FolderOptions {
  readonly folder?: string;
  readonly json?: boolean;
}

interface TrainOptions extends FolderOptions {
  readonly dimensions?: number;
  readonly seed: number;
}

/** Where the network file has another provider's number, or one that training does not take. */
const DIMENSIONS_DEFAULT = 384;
/** The kernel's random numbers start from 32 bits. */
const SEED_MAX = 0xffff_ffff;

const TRAIN_NOTES = `
Runs where the system of record is: it reads the passages from DATABASE_URL, or from the Postgres of the network that runs
on KATTEGAT_DATA. Texts never leave this process. The artefact goes to every edge, so it is trained only from residency
classes that may rest at all of them (docs/embedding.md); what is left out is printed. It ends with the line to put into
the network file. A network that has data prepares another model first: see kattegat embedding status.

Exit code 1 when there is nothing to learn from: no word stands in three passages.

Examples:
  kattegat embedding train
  kattegat embedding train --dimensions 256 --folder new/sites/dk-cph/embeddings --json
`;

interface StatusOptions extends ConnectionOptions {
  readonly json?: boolean;
}

const STATUS_NOTES = `
A model that runs is changed without a stop (docs/embedding.md): name the other one as \`next\` of the embedding in the
network file, restart, and wait here. Searches use it as soon as every site that they ask has it whole.

Exit code 1 while some site is not ready with a model.

Examples:
  kattegat embedding status
  kattegat embedding status --json | jq '.editions[] | select(.ready | not)'
`;

export function embeddingCommands(program: Command, settings: Settings, terminal: Terminal): void {
  const embedding = program
    .command("embedding")
    .description("Trains and lists embeddings learned from the network's own passages.");
  const withFolder = (command: Command): Command =>
    command.option(
      "--folder <path>",
      "where the embeddings are (default: the primary's folder in KATTEGAT_DATA)",
    );
  withFolder(embedding.command("train"))
    .description("Trains an embedding from the passages of the system of record.")
    .option("--dimensions <n>", "length of a vector (default: the network file's)", dimensionsOf)
    .option("--seed <n>", "start of the random numbers", wholeNumber({ min: 0, max: SEED_MAX }), 1)
    .option("--json", "print the result as JSON")
    .addHelpText("after", TRAIN_NOTES)
    .action((options: TrainOptions) => train(options, settings, terminal));
  withFolder(embedding.command("list"))
    .description("Lists the trained embeddings, the latest first.")
    .option("--json", "print the list as JSON")
    .action(async (options: FolderOptions) => {
      const { network } = readNetwork(settings);
      const folder = folderOf(options, network, settings);
      const trained = await listTrained(folder);
      const { model: used, next: coming } = network.embedding;
      const next = coming?.model ?? null;
      terminal.print(
        options.json === true
          ? JSON.stringify({ folder, used, next, embeddings: trained }, null, 2)
          : formatTrainedList(trained, { folder, used, next }),
      );
    });
  statusCommand(embedding, settings, terminal);
}

function statusCommand(embedding: Command, settings: Settings, terminal: Terminal): void {
  const command = embedding
    .command("status")
    .description("Shows how far each site is with the model that serves and with the one to come.")
    .option("--json", "print the state as JSON")
    .addHelpText("after", STATUS_NOTES);
  connectionOptions(command).action(async (options: StatusOptions) => {
    const status = modelStatusOf(await connect(settings, options).network());
    terminal.print(
      options.json === true ? JSON.stringify(status, null, 2) : formatModelStatus(status, settings),
    );
    if (!isSettled(status)) process.exitCode = EXIT.finding;
  });
}

async function train(options: TrainOptions, settings: Settings, terminal: Terminal): Promise<void> {
  const { network } = readNetwork(settings);
  const databaseUrl = databaseUrlOf(settings);
  if (databaseUrl === null)
    throw new UsageError(
      `No network runs on ${settings.dataShown}. Start it first (npm start), or name its Postgres with DATABASE_URL.`,
    );
  const { taken, leftOut } = trainingClasses(network);
  if (taken.length === 0)
    throw new UsageError(`There is no class to train from: ${formatLeftOut(leftOut).join("; ")}.`);
  for (const line of formatLeftOut(leftOut)) terminal.tell(`left out: ${line}`);
  terminal.tell(`training from the classes ${taken.join(", ")}`);
  // Whoever searches on this machine meanwhile goes first.
  setPriority(constants.priority.PRIORITY_LOW);
  const folder = folderOf(options, network, settings);
  const dimensions = options.dimensions ?? dimensionsIn(network);
  const startedMs = performance.now();
  const tookMs = (): number => Math.round(performance.now() - startedMs);
  const outcome = await trainInThread(
    {
      databaseUrl,
      keyring: keyringOf(network, settings),
      classes: taken,
      dimensions,
      seed: options.seed,
      folder,
    },
    (progress) => terminal.tell(formatProgress(progress, tookMs())),
  );
  if (outcome.kind === "nothing-to-learn") {
    printNothing(outcome.passages, { options, taken, leftOut, terminal });
    return;
  }
  const trained = await describeTrained(folder, outcome.model);
  const result = { ...trained, folder, left_out: leftOutOf(leftOut), took_ms: tookMs() };
  terminal.print(
    options.json === true
      ? JSON.stringify({ ...result, network_file: networkFileLine(trained) }, null, 2)
      : formatTrained(trained, { folder, tookMs: result.took_ms, configShown: settings.configShown }),
  );
}

function printNothing(
  passages: number,
  {
    options,
    taken,
    leftOut,
    terminal,
  }: TrainingClassesPart & { readonly options: TrainOptions; readonly terminal: Terminal },
): void {
  const detail = `Nothing to learn: no word stands in three of the ${passages} passages of ${taken.join(", ")}.`;
  terminal.print(
    options.json === true
      ? JSON.stringify(
          { model: null, passages, classes: taken, left_out: leftOutOf(leftOut), detail },
          null,
          2,
        )
      : detail,
  );
  process.exitCode = EXIT.finding;
}

type TrainingClassesPart = Pick<TrainingClasses, "taken" | "leftOut">;

function leftOutOf(
  leftOut: TrainingClasses["leftOut"],
): readonly { readonly class: string; readonly sites: readonly string[] }[] {
  return leftOut.map(({ className, sites }) => ({ class: className, sites }));
}

/** Where the primary looks for it. */
function folderOf({ folder }: FolderOptions, network: Network, { data }: Settings): string {
  if (folder !== undefined) return resolve(folder);
  return embeddingsFolder(dataFolder(data).site(primaryOf(network)));
}

function keyringOf(network: Network, { data }: Settings): KeyringPlace {
  const folder = dataFolder(data);
  return { folder: keyringFolder(folder.site(primaryOf(network))), rootKeyFile: folder.rootKey };
}

function primaryOf({ sites }: Network): string {
  return sites.find(({ kind }) => kind === "primary")?.id ?? "primary";
}

function isTrainable(dimensions: number): boolean {
  const { min, max, step } = LEARNED_DIMENSIONS;
  return dimensions >= min && dimensions <= max && dimensions % step === 0;
}

function dimensionsIn({ embedding }: Network): number {
  return isTrainable(embedding.dimensions) ? embedding.dimensions : DIMENSIONS_DEFAULT;
}

function dimensionsOf(text: string): number {
  const { min, max, step } = LEARNED_DIMENSIONS;
  if (!/^\d{1,4}$/.test(text) || !isTrainable(Number(text)))
    throw new InvalidArgumentError(`Expected a multiple of ${step} from ${min} to ${max}.`);
  return Number(text);
}
