/** What can be read of a network file that has faults. */
import type { z } from "zod";

import { TIER_NAMES, networkSchema, siteSchema } from "./network.ts";
import type { Model } from "./models.ts";
import type { Network, Site, TierName } from "./network.ts";
import { countryGroupSchema } from "./country-group.ts";
import { residencyClassSchema } from "./residency-class.ts";

type Partly<T> = { readonly [Key in keyof T]?: T[Key] | undefined };

/** A site with its place in the file. */
export interface ReadSite {
  readonly index: number;
  /** Without the fields in `unread`; `running` is then false. */
  readonly site: Site;
  readonly unread: ReadonlySet<string>;
}

/** Whatever is missing has a problem of its own, which is reported already; a check that needs it is left out. */
export interface NetworkParts {
  readonly sites: readonly ReadSite[] | undefined;
  /** Whether every site could be read, so that one may say what no site does. */
  readonly isEverySiteRead: boolean;
  readonly tiers: Partly<Record<TierName, Partly<Network["tiers"][TierName]>>>;
  /** Names of all country groups, those included whose content has faults. */
  readonly groupNames: readonly string[] | undefined;
  readonly groups: Readonly<Record<string, Partly<Network["country_groups"][string]>>>;
  readonly classes: Readonly<Record<string, Partly<Network["classes"][string]>>>;
  /** What placement needs: every site and group, with the classes that are well formed. */
  readonly placeable: Pick<Network, "sites" | "country_groups" | "classes"> | undefined;
  readonly embedding: Partly<Model> & { readonly next?: Partly<Model> | undefined };
  readonly writes: Network["writes"] | undefined;
  /** Names of all classes, those included whose content has faults. */
  readonly classNames: readonly string[] | undefined;
  readonly sections: Partly<Pick<Network, "tenants" | "telemetry" | "backups" | "failover">>;
}

type Raw = Partial<Record<string, unknown>>;

export function wellFormedParts(value: unknown): NetworkParts {
  const raw = objectOf(value) ?? {};
  const { shape } = networkSchema;
  const sites = Array.isArray(raw["sites"]) ? raw["sites"].map(readSite) : undefined;
  const read = sites?.filter((site) => site !== null);
  const classes = objectOf(raw["classes"]) ?? {};
  return {
    sites: read,
    isEverySiteRead: sites !== undefined && sites.every((site) => site !== null && site.unread.size === 0),
    tiers: Object.fromEntries(
      TIER_NAMES.map((name) => [name, tierOf(name, objectOf(objectOf(raw["tiers"])?.[name]) ?? {})]),
    ),
    ...groupsOf(objectOf(raw["country_groups"])),
    classes: mapped(classes, classOf),
    placeable: placeableOf(raw, classes),
    embedding: embeddingOf(objectOf(raw["embedding"]) ?? {}),
    writes: partOf(shape.writes, raw["writes"]),
    classNames: objectOf(raw["classes"]) === undefined ? undefined : Object.keys(classes),
    sections: {
      tenants: partOf(shape.tenants, raw["tenants"]),
      telemetry: partOf(shape.telemetry, raw["telemetry"]),
      backups: partOf(shape.backups, raw["backups"]),
      failover: partOf(shape.failover, raw["failover"]),
    },
  };
}

/** Null when not even its id, with its kind, can be read. */
function readSite(value: unknown, index: number): ReadSite | null {
  const whole = siteSchema.safeParse(value);
  if (whole.success) return { index, site: whole.data, unread: new Set() };
  const raw = objectOf(value);
  if (raw === undefined) return null;
  const unread = new Set(
    whole.error.issues.flatMap((issue) =>
      issue.code === "unrecognized_keys" && issue.path.length === 0
        ? issue.keys
        : issue.path.slice(0, 1).map(String),
    ),
  );
  const rest = Object.fromEntries(Object.entries(raw).filter(([key]) => !unread.has(key)));
  const site = partOf(siteSchema, unread.has("running") ? { ...rest, running: false } : rest);
  return site === undefined ? null : { index, site, unread };
}

function tierOf(name: TierName, raw: Raw): NetworkParts["tiers"][TierName] {
  const { shape } = networkSchema.shape.tiers.shape[name];
  return {
    capacity: partOf(shape.capacity, raw["capacity"]),
    deadline_ms: partOf(shape.deadline_ms, raw["deadline_ms"]),
    budget_ms: partOf(shape.budget_ms, raw["budget_ms"]),
  };
}

function groupsOf(raw: Raw | undefined): Pick<NetworkParts, "groupNames" | "groups"> {
  if (raw === undefined) return { groupNames: undefined, groups: {} };
  const { shape } = countryGroupSchema;
  const groups = mapped(raw, (group) => ({
    countries: partOf(shape.countries, group["countries"]),
    until: partOf(shape.until, group["until"]),
    references: partOf(shape.references, group["references"]),
    partial: partOf(shape.partial, group["partial"]),
  }));
  return { groupNames: Object.keys(raw), groups };
}

function classOf(raw: Raw): NetworkParts["classes"][string] {
  const { shape } = residencyClassSchema;
  return {
    store: partOf(shape.store, raw["store"]),
    transit: partOf(shape.transit, raw["transit"]),
    serve: partOf(shape.serve, raw["serve"]),
    cache: partOf(shape.cache, raw["cache"]),
    operators: partOf(shape.operators, raw["operators"]),
    transfers: partOf(shape.transfers, raw["transfers"]),
    stays_in: partOf(shape.stays_in, raw["stays_in"]),
    retention: partOf(shape.retention, raw["retention"]),
    narrows: partOf(shape.narrows, raw["narrows"]),
  };
}

function embeddingOf(raw: Raw): NetworkParts["embedding"] {
  const next = objectOf(raw["next"]);
  return { ...modelOf(raw), next: next === undefined ? undefined : modelOf(next) };
}

function modelOf(raw: Raw): Partly<Model> {
  const { shape } = networkSchema.shape.embedding;
  return {
    provider: partOf(shape.provider, raw["provider"]),
    model: partOf(shape.model, raw["model"]),
    dimensions: partOf(shape.dimensions, raw["dimensions"]),
    url: partOf(shape.url, raw["url"]),
  };
}

function placeableOf(raw: Raw, classes: Raw): NetworkParts["placeable"] {
  const { shape } = networkSchema;
  const sites = partOf(shape.sites, raw["sites"]);
  const groups = partOf(shape.country_groups, raw["country_groups"]);
  if (sites === undefined || groups === undefined) return undefined;
  const whole = Object.entries(classes).flatMap(([name, value]) => {
    const rules = partOf(residencyClassSchema, value);
    return rules === undefined ? [] : [[name, rules] as const];
  });
  return { sites, country_groups: groups, classes: Object.fromEntries(whole) };
}

function mapped<T>(raw: Raw, read: (value: Raw) => T): Readonly<Record<string, T>> {
  return Object.fromEntries(Object.entries(raw).map(([name, value]) => [name, read(objectOf(value) ?? {})]));
}

function objectOf(value: unknown): Raw | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : undefined;
}

function partOf<Schema extends z.ZodType>(schema: Schema, value: unknown): z.infer<Schema> | undefined {
  const result = schema.safeParse(value);
  return result.success ? result.data : undefined;
}
