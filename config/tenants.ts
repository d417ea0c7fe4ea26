/** Decides which classes a collection may carry. */
import type { Network } from "./network.ts";

type TenantRules = Pick<Network, "classes" | "tenants">;

/**
 * Returns the classes that documents of this collection may have, in the file's order.
 *
 * A tenant's collection takes the tenant's classes alone: a document of another is refused, never relabelled. A narrower class that
 * a tenant lists is that tenant's own, so no other collection takes it.
 */
export function carriedClasses(
  { classes, tenants = {} }: TenantRules,
  collection: string,
): readonly string[] {
  const all = Object.keys(classes);
  const tenant = Object.values(tenants).find(({ collections }) => collections.includes(collection));
  if (tenant !== undefined) return all.filter((name) => tenant.classes.includes(name));
  const owned = new Set(Object.values(tenants).flatMap((each) => each.classes));
  return all.filter((name) => classes[name]?.narrows === undefined || !owned.has(name));
}

/** May a document of this class be put into this collection? */
export function mayCarry(network: TenantRules, collection: string, className: string): boolean {
  return carriedClasses(network, collection).includes(className);
}
