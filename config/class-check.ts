/** Reviews the conditions of the classes: bases for transfers, what ends. */
import { USES } from "./conditions.ts";
import type { ResidencyRules, Use } from "./conditions.ts";
import { holdsOn } from "./day.ts";
import { expiryFinding } from "./expiry-finding.ts";
import type { Finding } from "./finding.ts";
import type { ResidencyClass } from "./network.ts";
import { PLACES } from "./narrowing.ts";
import { allowedUntil } from "./residency.ts";

interface Context {
  readonly today: string;
  readonly at: (path: string) => string;
}

export function conditionFindings(network: ResidencyRules, context: Context): readonly Finding[] {
  return Object.entries(network.classes).flatMap(([name, rules]) => [
    ...baselessFindings(network, name, { rules, ...context }),
    ...endFindings(name, { rules, ...context }),
  ]);
}

/** What the lists of the class promise, but no basis of a transfer carries, is refused: the file says one thing, the network does another. */
function baselessFindings(
  network: ResidencyRules,
  name: string,
  { rules, today, at }: Context & { readonly rules: ResidencyClass },
): readonly Finding[] {
  if (rules.personal_data === false) return [];
  const free = { ...network, classes: { ...network.classes, [name]: { ...rules, personal_data: false } } };
  const may = (by: ResidencyRules, use: Use, place: (typeof PLACES)[number]): boolean =>
    holdsOn(allowedUntil(by, { className: name, use, place }), today);
  return USES.flatMap((use): Finding[] => {
    const places = PLACES.filter((place) => may(free, use, place) && !may(network, use, place));
    if (places.length === 0) return [];
    const shown = places.slice(0, SHOWN_MAX).map((place) => place.name);
    const rest = places.length > SHOWN_MAX ? ` and ${places.length - SHOWN_MAX} more` : "";
    const holds = rules.personal_data === true ? "holds personal data" : "may hold personal data";
    return [
      {
        severity: "error",
        where: at(`classes.${name}.transfers`),
        found: `the class ${holds}, and ${use} lists ${shown.join(", ")}${rest}, outside the EU, the EEA and the adequate countries, without a basis: refused there`,
        write: `transfers: [{ to: [${places[0]?.country ?? ANYWHERE_SHOWN}], basis: Art. 46(2)(c), reason: …, reference: … }], personal_data: false if nobody's, or fewer places under ${use}`,
      },
    ];
  });
}

const SHOWN_MAX = 5;
const ANYWHERE_SHOWN = "anywhere";

function endFindings(
  name: string,
  { rules, today, at }: Context & { readonly rules: ResidencyClass },
): readonly Finding[] {
  const transfers = (rules.transfers ?? []).flatMap(({ to, basis, until }, index) =>
    until === undefined
      ? []
      : expiryFinding(until, {
          today,
          where: at(`classes.${name}.transfers[${index}].until`),
          what: `the transfer to ${to.join(", ")} by ${basis}`,
          renewed: "the basis was renewed, or remove the transfer",
        }),
  );
  const { until } = rules.retention ?? {};
  if (until === undefined || today <= until) return transfers;
  return [
    ...transfers,
    {
      severity: "warning",
      where: at(`classes.${name}.retention.until`),
      found: `ended on ${until}: no site may hold the class any more, its documents must be deleted`,
      write: "nothing once they are: remove the class; or a later date if the law allows it",
    },
  ];
}
