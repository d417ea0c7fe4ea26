/** The licence texts of the SPDX list. */
import list from "spdx-license-list/full.js";
import { IMPORTANCE, type Sample, type SampleDocument } from "./sample.ts";

type Licence = (typeof list)[string];

/** When this edition of the list (6.12.0) was published: the age of the licences that somebody keeps. */
const EDITION = "2026-07-25";

/** When the list first came out (SPDX 1.0): the age of every other licence. */
const FIRST_EDITION = "2011-08-17";

const LEADING = new Set(["MIT", "Apache-2.0", "GPL-3.0-only", "EUPL-1.2"]);

const MAJOR = new Set([
  "BSD-2-Clause",
  "BSD-3-Clause",
  "ISC",
  "MPL-2.0",
  "GPL-2.0-only",
  "LGPL-3.0-only",
  "AGPL-3.0-only",
  "CC-BY-4.0",
  "CC0-1.0",
  "Unlicense",
]);

export function licences(): readonly Sample[] {
  return Object.entries(list).map(([code, licence]) => ({
    always: LEADING.has(code),
    make: () => licenceDocument(code, licence),
  }));
}

function licenceDocument(code: string, licence: Licence): SampleDocument {
  const importance = importanceOf(code, licence.osiApproved);
  return {
    id: `spdx-${code.toLowerCase().replaceAll(/[^a-z0-9._~-]/g, "-")}`,
    title: licence.name,
    text: licence.licenseText,
    lang: "en",
    residency: residencyOf(code),
    importance,
    published_at: importance === IMPORTANCE.rare ? FIRST_EDITION : EDITION,
    metadata: {
      source: "SPDX License List",
      collection: "spdx",
      spdx_id: code,
      osi_approved: licence.osiApproved,
      url: licence.url,
    },
  };
}

/** Licences made by the Union, its members' governments or its institutes stay in the Union. */
function residencyOf(code: string): string {
  return /^(EUPL|EUDATAGRAM|CECILL|etalab|DL-DE|D-FSL|LiLiQ)/i.test(code) ? "eu" : "global";
}

function importanceOf(code: string, osiApproved: boolean): number {
  if (LEADING.has(code)) return IMPORTANCE.leading;
  if (MAJOR.has(code)) return IMPORTANCE.major;
  return osiApproved ? IMPORTANCE.common : IMPORTANCE.rare;
}
