import { mkdtempSync, rmSync } from 'node:fs';
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

const mail = { SENDGRID_API_KEY: 'SG.key', ALERT_EMAIL_TO: 'ada@example.com, grace@example.org' };

/** All problems as lines, with the folder of the test taken out. */
function problemsOf(env: Variables): readonly string[] {
  try {
    loadConfig({ env, cwd });
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(({ path, message }) => `${path}: ${message}`.replaceAll(cwd, '.'));
  }
}

const cases: readonly { caption: string; env: Variables; problems: readonly string[] }[] = [
  {
    caption: 'a database of another kind, without its password',
    env: { DATABASE_URL: 'mysql://u:geheim@db/x' },
    problems: ['DATABASE_URL: must be a URL beginning with postgres:// or postgresql://; got mysql://u:***@db/x'],
  },
  {
    caption: 'a database that is no URL',
    env: { JOBS_DATABASE_URL: 'geheim' },
    problems: ['JOBS_DATABASE_URL: must be a URL beginning with postgres:// or postgresql://; got ***'],
  },
  {
    caption: 'a key with a line break',
    env: { SENDGRID_API_KEY: 'SG.geheim\nX: 1' },
    problems: ['SENDGRID_API_KEY: must be plain ASCII without blanks or line breaks; got ***'],
  },
  {
    caption: 'a key without recipients',
    env: { SENDGRID_API_KEY: 'SG.geheim' },
    problems: [
      'ALERT_EMAIL_TO: is not set, but an e-mail provider is (SENDGRID_API_KEY or SMTP_URL); set it to the addresses to tell, separated by commas',
    ],
  },
  {
    caption: 'an SMTP server without recipients',
    env: { SMTP_URL: 'smtp://h' },
    problems: [
      'ALERT_EMAIL_TO: is not set, but an e-mail provider is (SENDGRID_API_KEY or SMTP_URL); set it to the addresses to tell, separated by commas',
    ],
  },
  {
    caption: 'both providers without recipients, once',
    env: { SMTP_URL: 'smtp://h', SENDGRID_API_KEY: 'SG.k' },
    problems: [
      'ALERT_EMAIL_TO: is not set, but an e-mail provider is (SENDGRID_API_KEY or SMTP_URL); set it to the addresses to tell, separated by commas',
    ],
  },
  {
    caption: 'a wrong recipient, without also calling it missing',
    env: { SENDGRID_API_KEY: 'SG.k', ALERT_EMAIL_TO: 'ada@example.com, grace' },
    problems: [
      'ALERT_EMAIL_TO: "grace": not an e-mail address; write ada@example.com or Ada <ada@example.com>; got "ada@example.com, grace"',
    ],
  },
  {
    caption: 'a recipient list of commas',
    env: { SMTP_URL: 'smtp://h', ALERT_EMAIL_TO: ',' },
    problems: ['ALERT_EMAIL_TO: names no recipient; write at least one e-mail address; got ","'],
  },
  {
    caption: 'a line break in a recipient',
    env: { ALERT_EMAIL_TO: 'ada@example.com\nBcc: eve@example.com' },
    problems: [
      'ALERT_EMAIL_TO: "ada@example.com\\nBcc: eve@example.com": an e-mail address must not contain a line break; got "ada@example.com\\nBcc: eve@example.com"',
    ],
  },
  {
    caption: 'a line break after a sender',
    env: { ...mail, ALERT_EMAIL_FROM: 'ada@example.com\r\n' },
    problems: ['ALERT_EMAIL_FROM: an e-mail address must not contain a line break; got "ada@example.com\\r\\n"'],
  },
  {
    caption: 'an SMTP address of another kind',
    env: { ...mail, SMTP_URL: 'mail.example.com:587' },
    problems: ['SMTP_URL: must be a URL beginning with smtp:// or smtps://; got ***'],
  },
  {
    caption: 'an API address that is no web address',
    env: { SENDGRID_BASE_URL: 'ftp://x' },
    problems: ['SENDGRID_BASE_URL: must be a URL beginning with https:// or http://; got ftp://x/'],
  },
  {
    caption: 'an unknown placeholder',
    env: { ADMIN_URL: 'https://a.example.com/{jobtype}' },
    problems: [
      'ADMIN_URL: has the unknown placeholder {jobtype}; did you mean "{job_type}"?; got "https://a.example.com/{jobtype}"',
    ],
  },
  {
    caption: 'a placeholder in a host',
    env: { ADMIN_URL: 'https://{source}.example.com/' },
    problems: ['ADMIN_URL: must not have a placeholder in its host; got "https://{source}.example.com/"'],
  },
  {
    caption: 'a lone brace',
    env: { ADMIN_URL: 'https://a.example.com/{id' },
    problems: ['ADMIN_URL: has a brace without its partner; got "https://a.example.com/{id"'],
  },
  {
    caption: 'a script as admin page',
    env: { ADMIN_URL: 'javascript:alert({id})' },
    problems: ['ADMIN_URL: must be a URL beginning with https:// or http://; got "javascript:alert({id})"'],
  },
  {
    caption: 'a public address with a query',
    env: { PUBLIC_URL: 'https://t.example.com/?a=1' },
    problems: [
      'PUBLIC_URL: must not have a query or fragment, since paths are added to it; got https://t.example.com/?a=1',
    ],
  },
  {
    caption: 'a Slack address that is none',
    env: { SLACK_WEBHOOK_URL: 'T0/B0/geheim' },
    problems: ['SLACK_WEBHOOK_URL: must be a URL beginning with https:// or http://; got ***'],
  },
  {
    caption: 'an unknown log level, with the nearest one',
    env: { LOG_LEVEL: 'warning' },
    problems: [
      'LOG_LEVEL: must be one of trace, debug, info, warn, error, fatal, silent; did you mean "warn"?; got "warning"',
    ],
  },
  {
    caption: 'a window without a unit',
    env: { TOCSIN_DIGEST_WINDOW: '15' },
    problems: [
      'TOCSIN_DIGEST_WINDOW: must be a whole number followed by ms, s, m, h or d, for example 500ms, 90s, 15m, 2h, 14d, or 0; got "15"',
    ],
  },
  {
    caption: 'a window that is too long',
    env: { TOCSIN_DIGEST_WINDOW: '8d' },
    problems: ['TOCSIN_DIGEST_WINDOW: must be at most 7d; got "8d"'],
  },
  {
    caption: 'a file that does not exist',
    env: { TOCSIN_CONFIG: 'nowhere.yaml' },
    problems: ['TOCSIN_CONFIG: ./nowhere.yaml does not exist; correct the path, or leave it out to run with defaults'],
  },
  {
    caption: 'a folder as file',
    env: { TOCSIN_CONFIG: '.' },
    problems: ['TOCSIN_CONFIG: . cannot be read (EISDIR); correct the path, or leave it out to run with defaults'],
  },
];

describe('the environment', () => {
  for (const { caption, env, problems } of cases) {
    test(`refuses ${caption}`, () => {
      expect(problemsOf(env)).toEqual(problems);
    });
  }
});
