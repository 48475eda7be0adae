import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseTableName, quoteIdentifier } from './table-name.ts';

const bare = (name: string) => ({ name, quoted: false });
const quoted = (name: string) => ({ name, quoted: true });

it.each([
  ['a schema and a table', 'app.jobs', bare('app'), bare('jobs')],
  ['a table alone', 'jobs', bare('public'), bare('jobs')],
  ['quoted parts with dots, blanks and quotes', '"my.app"."Job ""Runs"""', quoted('my.app'), quoted('Job "Runs"')],
  ['one quoted part', 'app."Jobs"', bare('app'), quoted('Jobs')],
  ['blanks around', '  app.jobs ', bare('app'), bare('jobs')],
])('reads %s', (_caption, text, schema, table) => {
  expect(parseTableName(text)).toEqual({ schema, table });
});

it.each([
  ['nothing', ''],
  ['three parts', 'db.app.jobs'],
  ['an empty part', 'app.'],
  ['an open quote', 'app."jobs'],
  ['a statement', 'jobs; drop table jobs'],
  ['a part that is too long', `app.${'j'.repeat(64)}`],
])('refuses %s and says how to write it', (_caption, text) => {
  expect(() => parseTableName(text)).toThrow(/write schema\.table/);
});

it('quotes any name so that it reads back as the same name', () => {
  fc.assert(
    fc.property(
      fc.string({ minLength: 1, maxLength: 15 }).filter((name) => !name.includes('\0')),
      (name) => {
        expect(parseTableName(`app.${quoteIdentifier(name)}`).table).toEqual(quoted(name));
      },
    ),
  );
});
