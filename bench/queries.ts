/** Queries in several languages over the sample texts. */
import { seededRandom } from "@kattegat/engine/seeded-random.ts";

const WORDS = [
  "ret frihed lov undervisning arbejde familie ejendom domstol beskyttelse ytringsfrihed religion nationalitet asyl sikkerhed",
  "right freedom law education work family property tribunal protection expression religion nationality asylum security",
  "Recht Freiheit Gesetz Bildung Arbeit Familie Eigentum Gericht Schutz Meinung Religion Staatsangehörigkeit Asyl Sicherheit",
  "rätt frihet lag utbildning arbete familj egendom domstol skydd yttrande religion nationalitet asyl säkerhet",
  "droit liberté loi éducation travail famille propriété tribunal protection expression religion nationalité asile sécurité",
  "license copyright warranty redistribution source binary patent notice derivative liability permission software",
].map((line) => line.split(" "));

/** `count` different queries of two to five words, one language each; the same for the same seed. */
export function sampleQueries(options: { readonly count: number; readonly seed: number }): string[] {
  const random = seededRandom(options.seed);
  const made = new Set<string>();
  while (made.size < options.count) {
    const words = WORDS[Math.floor(random() * WORDS.length)] ?? [];
    const length = 2 + Math.floor(random() * 4);
    made.add(Array.from({ length }, () => words[Math.floor(random() * words.length)] ?? "").join(" "));
  }
  return [...made];
}
