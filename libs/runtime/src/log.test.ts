import { expect, test } from 'vitest';
import type { LogLevel } from './config/config.ts';
import { createLogger } from './log.ts';

function recorder(options: { readonly level?: LogLevel; readonly secretValues?: readonly string[] } = {}) {
  const lines: string[] = [];
  const log = createLogger({
    level: 'info',
    name: 'detector',
    destination: { write: (line) => lines.push(line) },
    ...options,
  });
  return { log, lines, entries: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

test('writes one JSON line with level, time, name, pid, facts and message', () => {
  const { log, lines, entries } = recorder();
  log.info({ rows: 3 }, 'scanned');
  expect(lines[0]).toMatch(/^\{.*\}\n$/);
  expect(entries()).toEqual([
    {
      level: 'info',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      name: 'detector',
      pid: process.pid,
      rows: 3,
      msg: 'scanned',
    },
  ]);
});

test('leaves out what is below its level', () => {
  const { log, entries } = recorder({ level: 'warn' });
  log.info('not this');
  log.warn('this');
  expect(entries().map((entry) => entry['msg'])).toEqual(['this']);
});

test('gives its facts to the entries of a child', () => {
  const { log, entries } = recorder();
  log.child({ route: 'default' }).error({ digest: 7 }, 'refused');
  expect(entries()[0]).toMatchObject({ level: 'error', route: 'default', digest: 7 });
});

test('redacts keys that hold secrets down to the second level', () => {
  const { log, lines } = recorder();
  const facts = {
    password: 'pw-a',
    channel: { apiKey: 'pw-b', to: 'ada@example.com' },
    request: { options: { headers: { Authorization: 'pw-c' } } },
  };
  log.info(facts, 'calling');
  expect(lines[0]).not.toMatch(/pw-[abc]/);
  expect(lines[0]).toContain('ada@example.com');
});

test('replaces literal secrets in messages, facts, errors and their causes', () => {
  const { log, lines, entries } = recorder({ secretValues: ['s3cr"et'] });
  const err = new Error('connect postgres://u:s3cr"et@db', { cause: new Error('s3cr"et') });
  log.child({ scope: 's3cr"et' }).error({ err, nested: [{ text: 's3cr"et!' }] }, 'failed with s3cr"et twice s3cr"et');
  expect(lines[0]).not.toContain('s3cr');
  expect(lines[0]).toMatch(/\n$/);
  expect(entries()[0]).toMatchObject({
    msg: 'failed with [secret] twice [secret]',
    scope: '[secret]',
    nested: [{ text: '[secret]!' }],
    err: { message: 'connect postgres://u:[secret]@db', cause: { message: '[secret]' } },
  });
});

test('replaces the longer of two secrets first, so that no rest of it stays', () => {
  const { log, lines } = recorder({ secretValues: ['abcd', 'abcd-efgh'] });
  log.info('key abcd-efgh');
  expect(lines[0]).toContain('key [secret]"');
});

test('stays JSON when a secret looks like a number of the line', () => {
  const { log, entries } = recorder({ secretValues: ['4711'] });
  log.info({ rows: 4711 }, 'code 4711');
  expect(entries()[0]).toMatchObject({ rows: 4711, msg: 'code [secret]' });
});

test('does not look for secrets so short that they occur by chance', () => {
  const { log, entries } = recorder({ secretValues: ['a'] });
  log.info('a message');
  expect(entries()[0]).toMatchObject({ msg: 'a message' });
});

test('writes of a failed HTTP call neither headers nor request, and of a failed statement no row values', () => {
  const { log, lines, entries } = recorder();
  const err = Object.assign(new Error('Unauthorized'), {
    code: 401,
    config: { headers: { Authorization: 'Bearer leaked' } },
    response: { headers: { 'x-leaked': '1' }, body: 'leaked' },
    detail: 'Key (email)=(leaked) already exists.',
    constraint: 'users_email_key',
  });
  log.error({ err }, 'refused');
  log.error({ error: err }, 'refused');
  expect(lines.join('')).not.toContain('leaked');
  const expected = {
    type: 'Error',
    message: 'Unauthorized',
    code: 401,
    constraint: 'users_email_key',
    stack: expect.any(String),
  };
  expect(entries()[0]?.['err']).toEqual(expected);
  expect(entries()[1]?.['error']).toEqual(expected);
});

test('writes the errors of an aggregate, and what is thrown without being an error', () => {
  const { log, entries } = recorder();
  log.error({ err: new AggregateError([new Error('first')], 'all failed') }, 'x');
  log.error({ err: 'plain text' }, 'x');
  log.error({ err: { headers: 'leaked' } }, 'x');
  expect(entries().map((entry) => entry['err'])).toEqual([
    expect.objectContaining({ message: 'all failed', errors: [expect.objectContaining({ message: 'first' })] }),
    'plain text',
    'no Error but of type object',
  ]);
});

test('ends a chain of causes that leads back to itself', () => {
  const { log, entries } = recorder();
  const err = new Error('loop');
  err.cause = err;
  log.error({ err }, 'x');
  expect(JSON.stringify(entries()[0]).match(/"message":"loop"/g)).toHaveLength(6);
});
