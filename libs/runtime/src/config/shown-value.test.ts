import { expect, test } from 'vitest';
import { shownValue } from './shown-value.ts';

const cases = [
  { caption: 'shows plain values as JSON', path: ['jobs', 0, 'batch'], value: ['a', 1], shown: '["a",1]' },
  { caption: 'masks a key', path: ['channels', 'a', 'api_key'], value: 'geheim', shown: '"***"' },
  { caption: 'masks keys in a list under a secret name', path: ['api_key'], value: ['geheim'], shown: '["***"]' },
  {
    caption: 'masks keys inside a mapping',
    path: ['channels'],
    value: [{ api_key: 'geheim', url: 'u:geheim@h' }],
    shown: '[{"api_key":"***","url":"***"}]',
  },
  {
    caption: 'masks the password of a URL anywhere',
    path: ['routes'],
    value: ['smtp://u:geheim@h'],
    shown: '["smtp://u:***@h"]',
  },
  {
    caption: 'names the variable instead of its value',
    path: ['api_key'],
    value: '${KEY}',
    shown: 'the text of ${KEY}',
  },
  { caption: 'cuts long text', path: ['a'], value: 'x'.repeat(200), shown: `"${'x'.repeat(79)}…` },
];

for (const { caption, path, value, shown } of cases) {
  test(`a value in a problem: ${caption}`, () => {
    expect(shownValue(path, value)).toBe(shown);
  });
}
