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
const route = (text: string) => file(`routes: [{ name: a, channels: [outbox], ${text} }]`);
const job = (text: string) => file(`jobs: [{ name: a, table: p.t, ${text} }]`);
const rule = (text: string) => file(`rules: [{ ${text} }]`);
const channel = (text: string) => file(`channels: { a: { ${text} } }`);

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
  { caption: 'a missing version', yaml: 'rules: []', problems: ['version: is missing; it must be 1'] },
  { caption: 'another version', yaml: 'version: 2', problems: ['version: must be 1; got 2 (tocsin.yaml line 1)'] },
  {
    caption: 'an unknown section, with the nearest one',
    yaml: file('chanels: {}'),
    problems: ['chanels: unknown key; did you mean "channels"? (tocsin.yaml line 2)'],
  },
  {
    caption: 'several unknown keys, each by itself',
    yaml: route('chanel: x, escalate: y'),
    problems: [
      'routes[0].chanel: unknown key; did you mean "channels"? (tocsin.yaml line 2)',
      'routes[0].escalate: unknown key; did you mean "escalation"? (tocsin.yaml line 2)',
    ],
  },
  {
    caption: 'an unknown key in a channel, with the keys of its type',
    yaml: channel('type: smtp, url: "smtp://h", to: a@b.c, apikey: x'),
    problems: ['channels.a.apikey: unknown key; valid: type, to, from, url, rate_limit (tocsin.yaml line 2)'],
  },
  {
    caption: 'an unknown key that is like none',
    yaml: file('retention: { forever: 1d }'),
    problems: ['retention.forever: unknown key; valid: outcomes, deliveries (tocsin.yaml line 2)'],
  },
  {
    caption: 'a mapping where a list belongs',
    yaml: file('jobs: { name: a }'),
    problems: ['jobs: must be a list; got {"name":"a"} (tocsin.yaml line 2)'],
  },
  {
    caption: 'text where a mapping belongs',
    yaml: file('routes: [all]'),
    problems: ['routes[0]: must be a mapping of keys to values; got "all" (tocsin.yaml line 2)'],
  },
  {
    caption: 'a number where text belongs',
    yaml: rule('match: { target_id: 42 }'),
    problems: [
      'rules[0].match.target_id: must be text or a list of texts (put it in quotes); got 42 (tocsin.yaml line 2)',
    ],
  },
  {
    caption: 'a number in a list of texts',
    yaml: rule('match: { target_id: [a, 42] }'),
    problems: ['rules[0].match.target_id[1]: must be text (put it in quotes); got 42 (tocsin.yaml line 2)'],
  },
  {
    caption: 'text where a number belongs',
    yaml: job('batch: many'),
    problems: ['jobs[0].batch: must be a number; got "many" (tocsin.yaml line 2)'],
  },
  {
    caption: 'a reference where a number belongs',
    yaml: job('batch: "${BATCH}"'),
    env: { BATCH: '5' },
    problems: ['jobs[0].batch: must be a number; got the text of ${BATCH} (tocsin.yaml line 2)'],
  },
  {
    caption: 'text where true or false belongs',
    yaml: rule('match: {}, ignore: "yes"'),
    problems: ['rules[0].ignore: must be true or false; got "yes" (tocsin.yaml line 2)'],
  },
  {
    caption: 'no job table at all',
    yaml: file('jobs: []'),
    problems: [
      'jobs: the list is empty, so nothing would be watched; leave it out to watch public.research_jobs; got [] (tocsin.yaml line 2)',
    ],
  },
  {
    caption: 'a table without its schema',
    yaml: file('jobs: [{ name: a, table: research_jobs }]'),
    problems: [
      'jobs[0].table: must be the table with its schema, such as public.research_jobs; got "research_jobs" (tocsin.yaml line 2)',
    ],
  },
  {
    caption: 'a table name with SQL in it',
    yaml: file('jobs: [{ name: a, table: "p.t; drop table x" }]'),
    problems: [
      'jobs[0].table: must be the table with its schema, such as public.research_jobs; got "p.t; drop table x" (tocsin.yaml line 2)',
    ],
  },
  {
    caption: 'a job table without name and table',
    yaml: file('jobs: [{ adapter: research_jobs }]'),
    problems: [
      'jobs[0].name: is missing; it must be text (tocsin.yaml line 2)',
      'jobs[0].table: is missing; it must be text (tocsin.yaml line 2)',
    ],
  },
  {
    caption: 'a poll without a unit',
    yaml: job('poll: 2'),
    problems: ['jobs[0].poll: must have a unit, such as 2s or 2m; got 2 (tocsin.yaml line 2)'],
  },
  {
    caption: 'a poll that is too short',
    yaml: job('poll: 99ms'),
    problems: ['jobs[0].poll: must be at least 100ms; got "99ms" (tocsin.yaml line 2)'],
  },
  {
    caption: 'a reconcile that is too long',
    yaml: job('reconcile: 25h'),
    problems: ['jobs[0].reconcile: must be at most 1d; got "25h" (tocsin.yaml line 2)'],
  },
  {
    caption: 'a duration in words',
    yaml: job('look_back: two weeks'),
    problems: [
      'jobs[0].look_back: must be a whole number followed by ms, s, m, h or d, for example 500ms, 90s, 15m, 2h, 14d, or 0; got "two weeks" (tocsin.yaml line 2)',
    ],
  },
  {
    caption: 'a batch of nothing',
    yaml: job('batch: 0'),
    problems: ['jobs[0].batch: must be at least 1; got 0 (tocsin.yaml line 2)'],
  },
  {
    caption: 'a batch that is too large',
    yaml: job('batch: 10001'),
    problems: ['jobs[0].batch: must be at most 10000; got 10001 (tocsin.yaml line 2)'],
  },
  {
    caption: 'half a row',
    yaml: job('batch: 0.5'),
    problems: ['jobs[0].batch: must be a whole number; got 0.5 (tocsin.yaml line 2)'],
  },
  {
    caption: 'a database of another kind, without its password',
    yaml: job('database_url: "mysql://u:geheim@h/d"'),
    problems: [
      'jobs[0].database_url: must be a URL beginning with postgres:// or postgresql://; got "mysql://u:***@h/d" (tocsin.yaml line 2)',
    ],
  },
  {
    caption: 'a name with a slash',
    yaml: file('jobs: [{ name: a/b, table: p.t }]'),
    problems: [
      'jobs[0].name: must be 1 to 63 letters, digits, dots, dashes or underscores, beginning with a letter or digit; got "a/b" (tocsin.yaml line 2)',
    ],
  },
  {
    caption: 'a chain without steps',
    yaml: file('chains: [{ name: a, source: s, steps: [] }]'),
    problems: ['chains[0].steps: the list is empty; name at least one step; got [] (tocsin.yaml line 2)'],
  },
  {
    caption: 'a rule without match',
    yaml: rule('severity: info'),
    problems: ['rules[0].match: is missing; it must be a mapping of keys to values (tocsin.yaml line 2)'],
  },
  {
    caption: 'an unknown severity, with the nearest one',
    yaml: rule('match: {}, severity: critcal'),
    problems: [
      'rules[0].severity: must be one of info, warning, error, critical; did you mean "critical"?; got "critcal" (tocsin.yaml line 2)',
    ],
  },
  {
    caption: 'a grouping without job_type',
    yaml: rule('match: {}, group_by: [source]'),
    problems: ['rules[0].group_by: must include source and job_type; got ["source"] (tocsin.yaml line 2)'],
  },
  {
    caption: 'a grouping by an unknown field',
    yaml: rule('match: {}, group_by: [source, job_type, target]'),
    problems: [
      'rules[0].group_by[2]: must be one of source, job_type, target_id; did you mean "target_id"?; got "target" (tocsin.yaml line 2)',
    ],
  },
  {
    caption: 'a grouping that repeats a field',
    yaml: rule('match: {}, group_by: [source, job_type, source]'),
    problems: [
      'rules[0].group_by: must not name a field twice; got ["source","job_type","source"] (tocsin.yaml line 2)',
    ],
  },
  {
    caption: 'an empty pattern',
    yaml: rule('match: { source: "" }'),
    problems: [
      'rules[0].match.source: a pattern must not be empty; leave the field out to match everything; got "" (tocsin.yaml line 2)',
    ],
  },
  {
    caption: 'an empty list of patterns',
    yaml: rule('match: { source: [] }'),
    problems: [
      'rules[0].match.source: the list is empty, so nothing would match; leave the field out to match everything; got [] (tocsin.yaml line 2)',
    ],
  },
  {
    caption: 'a pattern with a double star',
    yaml: rule('match: { source: [a, "b**"] }'),
    problems: ['rules[0].match.source[1]: write a single *; it stands for any text; got "b**" (tocsin.yaml line 2)'],
  },
  {
    caption: 'a pattern of another dialect',
    yaml: rule('match: { source: "a[bc]?" }'),
    problems: [
      'rules[0].match.source: only * is special in a pattern; [ has no meaning here, put * in its place; got "a[bc]?" (tocsin.yaml line 2)',
    ],
  },
  {
    caption: 'a negated pattern',
    yaml: rule('match: { source: "!a" }'),
    problems: [
      'rules[0].match.source: only * is special in a pattern; ! has no meaning here, put * in its place; got "!a" (tocsin.yaml line 2)',
    ],
  },
  {
    caption: 'a pattern that ends with a blank',
    yaml: rule('match: { source: "a " }'),
    problems: ['rules[0].match.source: a pattern must not begin or end with a blank; got "a " (tocsin.yaml line 2)'],
  },
  {
    caption: 'a route to nobody',
    yaml: file('routes: [{ name: a, channels: [] }]'),
    problems: [
      'routes[0].channels: the list is empty, so nobody would be told; name at least one channel; got [] (tocsin.yaml line 2)',
    ],
  },
  {
    caption: 'a route without channels',
    yaml: file('routes: [{ name: a }]'),
    problems: ['routes[0].channels: is missing; it must be a list (tocsin.yaml line 2)'],
  },
  {
    caption: 'an empty fallback',
    yaml: route('fallback: []'),
    problems: ['routes[0].fallback: the list is empty; leave it out; got [] (tocsin.yaml line 2)'],
  },
  {
    caption: 'an escalation to nobody',
    yaml: `${route('escalation: e')}\nescalations: { e: { after: 0, channels: [] } }`,
    problems: [
      'escalations.e.after: must be at least 1s; got 0 (tocsin.yaml line 3)',
      'escalations.e.channels: the list is empty, so nobody would be told; name at least one channel; got [] (tocsin.yaml line 3)',
    ],
  },
  {
    caption: 'a window that is too long',
    yaml: route('digest: { window: 8d }'),
    problems: ['routes[0].digest.window: must be at most 7d; got "8d" (tocsin.yaml line 2)'],
  },
  {
    caption: 'an unknown type of channel, with the nearest one',
    yaml: channel('type: sengrid'),
    problems: [
      'channels.a.type: must be one of sendgrid, smtp, slack_bot, slack_webhook, pagerduty, webhook, sentry, outbox, console; did you mean "sendgrid"?; got "sengrid" (tocsin.yaml line 2)',
    ],
  },
  {
    caption: 'a channel without a type',
    yaml: channel('to: a@b.c'),
    problems: [
      'channels.a.type: is missing; it must be one of sendgrid, smtp, slack_bot, slack_webhook, pagerduty, webhook, sentry, outbox, console (tocsin.yaml line 2)',
    ],
  },
  {
    caption: 'a channel name with a blank',
    yaml: file('channels: { "a b": { type: console } }'),
    problems: [
      'channels.a b: must be 1 to 63 letters, digits, dots, dashes or underscores, beginning with a letter or digit (tocsin.yaml line 2)',
    ],
  },
  {
    caption: 'an SMTP address that is none, without its password',
    yaml: channel('type: smtp, to: a@b.c, url: "u:geheim@h"'),
    problems: ['channels.a.url: must be a URL beginning with smtp:// or smtps://; got "***" (tocsin.yaml line 2)'],
  },
  {
    caption: 'a wrong recipient',
    yaml: channel('type: smtp, url: "smtp://h", to: [a@b.c, "a b@c"]'),
    problems: [
      'channels.a.to: "a b@c": not an e-mail address; write ada@example.com or Ada <ada@example.com>; got ["a@b.c","a b@c"] (tocsin.yaml line 2)',
    ],
  },
  {
    caption: 'no recipient',
    yaml: channel('type: smtp, url: "smtp://h", to: []'),
    problems: ['channels.a.to: names no recipient; write at least one e-mail address; got [] (tocsin.yaml line 2)'],
  },
  {
    caption: 'a recipient that is a number',
    yaml: channel('type: smtp, url: "smtp://h", to: 7'),
    problems: ['channels.a.to: must be text or a list of texts (put it in quotes); got 7 (tocsin.yaml line 2)'],
  },
  {
    caption: 'a line break in a sender',
    yaml: channel('type: smtp, url: "smtp://h", to: a@b.c, from: "a@b.c\\r\\nBcc: e@f.g"'),
    problems: [
      'channels.a.from: an e-mail address must not contain a line break; got "a@b.c\\r\\nBcc: e@f.g" (tocsin.yaml line 2)',
    ],
  },
  {
    caption: 'an API key with a blank, without showing it',
    yaml: channel('type: sendgrid, to: a@b.c, api_key: "ge heim"'),
    problems: ['channels.a.api_key: must be plain ASCII without blanks or line breaks; got "***" (tocsin.yaml line 2)'],
  },
  {
    caption: 'an outcome retention that is too short',
    yaml: file('retention: { outcomes: 1h }'),
    problems: ['retention.outcomes: must be at least 1d; got "1h" (tocsin.yaml line 2)'],
  },
];

describe('the form of the file', () => {
  for (const { caption, yaml, env = {}, problems } of cases) {
    test(`refuses ${caption}`, () => {
      expect(problemsOf(yaml, env)).toEqual(problems);
    });
  }
});
