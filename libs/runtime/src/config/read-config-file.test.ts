import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ConfigError } from '../errors.ts';
import { loadConfig } from './load-config.ts';

let cwd: string;
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'tocsin-config-'));
});
afterEach(() => rmSync(cwd, { recursive: true }));

type Variables = Readonly<Record<string, string>>;

const file = (text: string) => `version: 1\n${text}`;
const rule = (text: string) => file(`rules: [{ ${text} }]`);

/** All problems as lines, with the folder of the test taken out. */
function problemsOf(yaml: string, env: Variables): readonly string[] {
  writeFileSync(join(cwd, 'tocsin.yaml'), yaml);
  try {
    loadConfig({ env, cwd });
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(({ path, message }) => `${path}: ${message}`.replaceAll(cwd, '.'));
  }
}

const cases: readonly { caption: string; yaml: string; env?: Variables; problems: readonly string[] }[] = [
  {
    caption: 'text that is no YAML, with line and column',
    yaml: 'version: 1\nroutes: [\n  { name: a\n',
    problems: [
      'tocsin.yaml line 4, column 1: not valid YAML: Flow map in block collection must be sufficiently indented and end with a }',
      'tocsin.yaml line 4, column 1: not valid YAML: Flow sequence in block collection must be sufficiently indented and end with a ]',
    ],
  },
  {
    caption: 'a pattern that begins with an unquoted star',
    yaml: rule('match: { source: *apple }'),
    problems: [
      'tocsin.yaml line 2, column 28: not valid YAML: the alias *apple has no anchor; a pattern that begins with * must be in quotes',
    ],
  },
  {
    caption: 'a key that comes twice',
    yaml: 'version: 1\nrules: []\nrules: []\n',
    problems: ['tocsin.yaml line 3, column 1: not valid YAML: Map keys must be unique'],
  },
  {
    caption: 'a second document',
    yaml: 'version: 1\n---\nversion: 1\n',
    problems: ['tocsin.yaml line 2, column 1: not valid YAML: there is a second document; drop the line ---'],
  },
  {
    caption: 'an unknown tag',
    yaml: 'version: !!js/function 1\n',
    problems: ['tocsin.yaml line 1, column 10: not valid YAML: Unresolved tag: tag:yaml.org,2002:js/function'],
  },
  {
    caption: 'a list at the top',
    yaml: '- version: 1',
    problems: ['tocsin.yaml: must be a mapping of keys to values, beginning with version: 1'],
  },
  {
    caption: 'aliases that multiply',
    yaml: `version: 1\na: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c,*c,*c,*c]`,
    problems: ['tocsin.yaml: not usable YAML: Excessive alias count indicates a resource exhaustion attack'],
  },
  {
    caption: 'a file that is too large',
    yaml: `# ${'x'.repeat(1_000_000)}`,
    problems: ['tocsin.yaml: ./tocsin.yaml is larger than 1000000 bytes'],
  },
];

describe('the text of the file', () => {
  for (const { caption, yaml, env = {}, problems } of cases) {
    test(`refuses ${caption}`, () => {
      expect(problemsOf(yaml, env)).toEqual(problems);
    });
  }
});
