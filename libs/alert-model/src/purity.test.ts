import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

/** What the domain must not know of: clocks, chance, timers, input and output. */
const impure: readonly (readonly [what: string, pattern: RegExp])[] = [
  ['the clock of the machine', /\bDate\.now\b|\bnew Date\(\s*\)|(?<!new )\bDate\(|\bperformance\b/],
  ['chance', /\bMath\.random\b|\brandomUUID\b|\bcrypto\b/],
  ['timers', /\bset(?:Timeout|Interval|Immediate)\b|\bqueueMicrotask\b/],
  ['the process or its output', /\bprocess\b|\bconsole\b|\bglobalThis\b|\bfetch\(/],
  [
    'the locale or time zone of the machine',
    /\btoLocale(?:Date|Time)?String\(\s*\)|\bIntl\b|\.get(?:Hours|Date|Day|Month|FullYear|Minutes)\(/,
  ],
  ['other packages than xstate and zod', /\bfrom '(?!\.\/|xstate'|zod')|\bimport\(|\brequire\(/],
];

const withoutComments = (source: string): string =>
  source.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
const offences = (source: string): readonly string[] =>
  withoutComments(source)
    .split('\n')
    .flatMap((line) => impure.filter(([, pattern]) => pattern.test(line)).map(([what]) => `${what}: ${line.trim()}`));

const folder = new URL('./', import.meta.url);
const files = readdirSync(folder).filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'));

describe('the domain is pure', () => {
  test('there are sources to look at', () => {
    expect(files).toContain('machine.ts');
  });

  test.for(files)('%s knows of no clock, chance, timer, input or output', (file) => {
    expect(offences(readFileSync(new URL(file, folder), 'utf8'))).toEqual([]);
  });

  test.for([
    'const now = Date.now();',
    'const now = new Date();',
    'const now = Date();',
    'const id = Math.random();',
    'const id = crypto.randomUUID();',
    'setTimeout(tick, 1);',
    "if (process.env['X'] === '1') tick();",
    'console.log(state);',
    'count.toLocaleString();',
    'const hour = at.getHours();',
    "import { readFileSync } from 'node:fs';",
    "import { Pool } from 'pg';",
    "const late = await import('xstate');",
  ])('and this would be noticed: %s', (line) => {
    expect(offences(line)).toHaveLength(1);
  });

  test('while a date made of a given time, and words in comments, are fine', () => {
    expect(
      offences(
        "// the process of new Date()\n/** console.log */\nconst at = new Date(Date.parse(from) + ms);\nimport { z } from 'zod';",
      ),
    ).toEqual([]);
  });
});
