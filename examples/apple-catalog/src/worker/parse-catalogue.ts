import type { CatalogTarget } from '../catalog-targets.ts';

const entriesMax = 100_000;

/** One artist, album or song: an object with a text `id` and the target's required fields. */
export type CatalogueEntry = Readonly<Record<string, unknown>> & { readonly id: string };

const requiredFields: Readonly<Record<CatalogTarget, readonly string[]>> = {
  artists: ['name', 'genre', 'formed'],
  albums: ['artist_id', 'title', 'released_on'],
  songs: ['album_id', 'title', 'track', 'duration_ms'],
};

/**
 * Reads a catalogue file.
 *
 * @throws SyntaxError when the text is not JSON (its message names the position), Error when the JSON is not the
 * catalogue of this target, is incomplete, or has an entry without a required field.
 */
export function parseCatalogue(target: CatalogTarget, text: string): readonly CatalogueEntry[] {
  let file: unknown;
  try {
    file = JSON.parse(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new SyntaxError(`${target}.json (${text.length} characters) is not valid JSON: ${reason}`);
  }
  if (!isRecord(file) || file['target'] !== target || !Array.isArray(file['entries'])) {
    throw new Error(`${target}.json is not a catalogue of ${target}`);
  }
  const entries: readonly unknown[] = file['entries'];
  if (entries.length > entriesMax) throw new Error(`${target}.json has more than ${entriesMax} entries`);
  if (file['count'] !== entries.length) {
    throw new Error(`${target}.json announces ${String(file['count'])} entries but has ${entries.length}`);
  }
  return entries.map((entry, index) => readEntry(target, entry, index));
}

function readEntry(target: CatalogTarget, entry: unknown, index: number): CatalogueEntry {
  const id = isRecord(entry) ? entry['id'] : undefined;
  if (!isRecord(entry) || typeof id !== 'string') throw new Error(`entry ${index} of ${target}.json has no id`);
  const missing = requiredFields[target].filter((field) => entry[field] === undefined || entry[field] === null);
  if (missing.length > 0) throw new Error(`entry ${id} of ${target}.json has no ${missing.join(', no ')}`);
  return { ...entry, id };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
