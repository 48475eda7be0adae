import { expect, test } from 'vitest';
import { ConfigError, InvariantError, TocsinError } from './errors.ts';

test('every error has a code and keeps its cause', () => {
  const cause = new Error('disk full');
  const error = new InvariantError('stream a has two versions 3', { cause });
  expect(error).toBeInstanceOf(TocsinError);
  expect(error).toMatchObject({ code: 'INVARIANT', name: 'InvariantError', cause });
});

test('a configuration error names every problem in its message', () => {
  const error = new ConfigError([
    { path: 'SMTP_URL', message: 'must be a URL' },
    { path: 'jobs[0].poll', message: 'must be at least 100ms' },
  ]);
  expect(error.code).toBe('CONFIG_INVALID');
  expect(error.message).toBe(
    'The configuration has 2 problems; nothing was started.\n  - SMTP_URL: must be a URL\n  - jobs[0].poll: must be at least 100ms',
  );
});
