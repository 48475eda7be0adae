import { expect, test } from 'vitest';
import { allHealthy, changeModes } from './source-modes.ts';

test('changes the targets that are named and leaves the others', () => {
  expect(changeModes(allHealthy, '{"songs":"unavailable"}')).toEqual({ ...allHealthy, songs: 'unavailable' });
});

test.each([
  ['a body that is not JSON', 'songs=unavailable', 'not JSON'],
  ['a list', '["songs"]', 'must be an object'],
  ['an unknown target', '{"videos":"corrupt"}', '"videos" is not one of albums, songs, artists'],
  ['an unknown mode', '{"songs":"broken"}', 'the mode of songs must be one of healthy, unavailable, corrupt, slow'],
])('refuses %s and says what is allowed', (_caption, body, message) => {
  expect(() => changeModes(allHealthy, body)).toThrow(message);
});
