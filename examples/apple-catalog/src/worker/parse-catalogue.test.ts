import { expect, test } from 'vitest';
import { parseCatalogue } from './parse-catalogue.ts';

const artist = { id: 'art-1', name: 'The Amber Lantern Trio', genre: 'Folk', formed: 1999 };
const catalogue = { target: 'artists', count: 1, entries: [artist] };

test('reads the entries of a catalogue file', () => {
  expect(parseCatalogue('artists', JSON.stringify(catalogue))).toEqual([artist]);
});

test("says where a file that is cut off ends, in the parser's own words", () => {
  const text = JSON.stringify(catalogue).slice(0, 60);
  expect(() => parseCatalogue('artists', text)).toThrow(
    /^artists\.json \(60 characters\) is not valid JSON: .+ in JSON at position \d+/,
  );
});

test.each([
  ['the file of another target', { ...catalogue, target: 'songs' }, 'artists.json is not a catalogue of artists'],
  ['a file without entries', { target: 'artists', count: 0 }, 'artists.json is not a catalogue of artists'],
  ['fewer entries than announced', { ...catalogue, count: 2 }, 'artists.json announces 2 entries but has 1'],
  ['an entry without id', { ...catalogue, entries: [{ name: 'x' }] }, 'entry 0 of artists.json has no id'],
  [
    'an entry without a field',
    { ...catalogue, entries: [{ ...artist, genre: null }] },
    'entry art-1 of artists.json has no genre',
  ],
])('refuses %s', (_caption, file, message) => {
  expect(() => parseCatalogue('artists', JSON.stringify(file))).toThrow(message);
});
