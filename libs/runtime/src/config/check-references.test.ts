import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ConfigError } from '../errors.ts';
import { loadText } from './config-file.fixture.ts';
import { loadConfig } from './load-config.ts';

let cwd: string;
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'tocsin-config-'));
});
afterEach(() => rmSync(cwd, { recursive: true }));

type Variables = Readonly<Record<string, string>>;

const mail = { SENDGRID_API_KEY: 'SG.key', ALERT_EMAIL_TO: 'ada@example.com, grace@example.org' };

const file = (text: string) => `version: 1\n${text}`;
const route = (text: string) => file(`routes: [{ name: a, channels: [outbox], ${text} }]`);
const job = (text: string) => file(`jobs: [{ name: a, table: p.t, ${text} }]`);
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
  {
    caption: 'names that Tocsin uses for itself',
    yaml: file(`jobs: [{ name: tocsin, table: p.t }]
routes: [{ name: tocsin_canary, channels: [outbox] }]
channels: { tocsin_canary: { type: outbox }, mail: { type: outbox } }`),
    problems: [
      'jobs[0].name: Tocsin uses this name for itself; choose another one; got "tocsin" (tocsin.yaml line 2)',
      'routes[0].name: Tocsin uses this name for itself; choose another one; got "tocsin_canary" (tocsin.yaml line 3)',
      'channels.tocsin_canary: Tocsin uses this name for itself; choose another one (tocsin.yaml line 4)',
    ],
  },
  {
    caption: 'a wrong database from the environment, by its reference only',
    yaml: job('database_url: "${X}"'),
    env: { X: 'mysql://u:geheim@h/d' },
    problems: [
      'jobs[0].database_url: must be a URL beginning with postgres:// or postgresql://; got the text of ${X} (tocsin.yaml line 2)',
    ],
  },
  {
    caption: 'two job tables of one name',
    yaml: file('jobs: [{ name: a, table: p.t }, { name: a, table: p.u }]'),
    problems: ['jobs[1].name: the name "a" is taken by jobs[0] already (tocsin.yaml line 2)'],
  },
  {
    caption: 'one table watched twice',
    yaml: file('jobs: [{ name: a, table: p.t }, { name: b, table: p.t }]'),
    problems: ['jobs[1].table: the table "p.t" is taken by jobs[0] already (tocsin.yaml line 2)'],
  },
  {
    caption: 'two chains of one name and source',
    yaml: file(
      'chains: [{ name: a, source: s, steps: [{ job_type: x }] }, { name: a, source: s, steps: [{ job_type: y }] }]',
    ),
    problems: ['chains[1].name: the name "a" is taken by chains[0] already (tocsin.yaml line 2)'],
  },
  {
    caption: 'a job that is in two chains',
    yaml: file(
      'chains: [{ name: a, source: s, steps: [{ job_type: x, targets: [u, v] }] }, { name: b, source: s, steps: [{ job_type: x, targets: [v] }] }]',
    ),
    problems: [
      'chains[1].steps[0].job_type: these jobs belong to chains[0].steps[0] already; give the two steps different targets; got "x" (tocsin.yaml line 2)',
    ],
  },
  {
    caption: 'a job that is in two steps',
    yaml: file('chains: [{ name: a, source: s, steps: [{ job_type: x }, { job_type: x, targets: [v] }] }]'),
    problems: [
      'chains[0].steps[1].job_type: these jobs belong to chains[0].steps[0] already; give the two steps different targets; got "x" (tocsin.yaml line 2)',
    ],
  },
  {
    caption: 'two routes of one name',
    yaml: file('routes: [{ name: a, channels: [outbox] }, { name: a, channels: [console] }]'),
    problems: ['routes[1].name: the name "a" is taken by routes[0] already (tocsin.yaml line 2)'],
  },
  {
    caption: 'an unknown channel, with the nearest one',
    yaml: file('routes: [{ name: a, channels: [emial] }]'),
    env: mail,
    problems: ['routes[0].channels[0]: there is no channel "emial"; did you mean "email"? (tocsin.yaml line 2)'],
  },
  {
    caption: 'an unknown channel that is like none',
    yaml: file('routes: [{ name: a, channels: [pagerduty] }]'),
    problems: ['routes[0].channels[0]: there is no channel "pagerduty"; valid: outbox, console (tocsin.yaml line 2)'],
  },
  {
    caption: 'a channel named twice',
    yaml: file('routes: [{ name: a, channels: [outbox, outbox] }]'),
    problems: ['routes[0].channels[1]: names the channel "outbox" twice; drop one (tocsin.yaml line 2)'],
  },
  {
    caption: 'an unknown fallback',
    yaml: route('fallback: [consol]'),
    problems: ['routes[0].fallback[0]: there is no channel "consol"; did you mean "console"? (tocsin.yaml line 2)'],
  },
  {
    caption: 'a channel as its own fallback',
    yaml: route('fallback: [outbox]'),
    problems: [
      'routes[0].fallback[0]: "outbox" is in channels already, so it cannot stand in for itself (tocsin.yaml line 2)',
    ],
  },
  {
    caption: 'an unknown escalation',
    yaml: route('escalation: boss'),
    problems: ['routes[0].escalation: there is no escalation "boss"; none is declared (tocsin.yaml line 2)'],
  },
  {
    caption: 'an escalation to an unknown channel',
    yaml: `${route('escalation: e')}\nescalations: { e: { after: 1m, channels: [x, console] } }`,
    problems: ['escalations.e.channels[0]: there is no channel "x"; valid: outbox, console (tocsin.yaml line 3)'],
  },
  {
    caption: 'a partial route called default',
    yaml: file('routes: [{ name: default, match: { source: a }, channels: [outbox] }]'),
    problems: [
      'routes[0].name: "default" is the route for every alert; give this one another name, or take its match out (tocsin.yaml line 2)',
    ],
  },
  {
    caption: 'a route for a severity no rule gives',
    yaml: file(
      'rules: [{ match: {}, severity: warning }, { match: { source: x }, severity: critical }]\nroutes: [{ name: a, match: { severity: [critical, error] }, channels: [outbox] }]',
    ),
    problems: [
      'routes[0].match.severity: this route is never used, because no rule gives the severity critical or error (they give: warning); add such a rule or drop this match (tocsin.yaml line 3)',
    ],
  },
  {
    caption: 'a route whose jobs are all ignored',
    yaml: file(
      'rules: [{ match: { source: "test-*" }, ignore: true }]\nroutes: [{ name: a, match: { source: [test-a, "test-b*"], job_type: x }, channels: [outbox] }]',
    ),
    problems: [
      'routes[0].match: this route is never used, because rules[0] ignores every job it is for; drop one of the two (tocsin.yaml line 3)',
    ],
  },
  {
    caption: 'a configuration that ignores everything',
    yaml: file('rules: [{ match: {}, ignore: true }]\nroutes: [{ name: a, channels: [outbox] }]'),
    problems: [
      'routes[0]: this route is never used, because rules[0] ignores every job it is for; drop one of the two (tocsin.yaml line 3)',
    ],
  },
  {
    caption: 'a built-in name for another type',
    yaml: file('channels: { outbox: { type: console } }'),
    problems: [
      'channels.outbox.type: the name outbox is kept for a channel of type outbox; choose another name; got "console" (tocsin.yaml line 2)',
    ],
  },
  {
    caption: 'a SendGrid channel without anything',
    yaml: channel('type: sendgrid'),
    problems: [
      'channels.a.to: is missing; write the recipients here or set ALERT_EMAIL_TO (tocsin.yaml line 2)',
      'channels.a.api_key: is missing; write "${NAME}" here or set SENDGRID_API_KEY (tocsin.yaml line 2)',
    ],
  },
  {
    caption: 'an SMTP channel without an address',
    yaml: channel('type: smtp, to: a@b.c'),
    problems: ['channels.a.url: is missing; write smtp://… here or set SMTP_URL (tocsin.yaml line 2)'],
  },
  {
    caption: 'an SMTP channel without recipients',
    yaml: channel('type: smtp, url: "smtp://h"'),
    problems: ['channels.a.to: is missing; write the recipients here or set ALERT_EMAIL_TO (tocsin.yaml line 2)'],
  },
  {
    caption: 'a reference to a variable that is not set',
    yaml: channel('type: sendgrid, to: a@b.c, api_key: "${SENDGRID_KEY}"'),
    problems: [
      'channels.a.api_key: refers to the environment variable SENDGRID_KEY, which is not set; set it or take the reference out (tocsin.yaml line 2)',
    ],
  },
  {
    caption: 'an embedded reference that is not set, without a follow-on',
    yaml: channel('type: smtp, to: a@b.c, url: "smt${X}"'),
    problems: [
      'channels.a.url: refers to the environment variable X, which is not set; set it or take the reference out (tocsin.yaml line 2)',
    ],
  },
  {
    caption: 'a reference with a default, which does not exist here',
    yaml: channel('type: outbox, directory: "${DIR:-x}"'),
    env: { DIR: 'y' },
    problems: [
      'channels.a.directory: "${DIR:-x}" is not a reference to a variable; write ${NAME}, or $${ for a plain ${ (tocsin.yaml line 2)',
    ],
  },
  {
    caption: 'a reference that does not end',
    yaml: channel('type: outbox, directory: "${DIR"'),
    env: { DIR: 'y' },
    problems: [
      'channels.a.directory: "${DIR" is not a reference to a variable; write ${NAME}, or $${ for a plain ${ (tocsin.yaml line 2)',
    ],
  },
];

describe('the file as a whole', () => {
  for (const { caption, yaml, env = {}, problems } of cases) {
    test(`refuses ${caption}`, () => {
      expect(problemsOf(yaml, env)).toEqual(problems);
    });
  }

  test('tells everything that is wrong in file and environment at once', () => {
    const yaml = file(
      'jobs: [{ name: a, table: t }]\nroutes: [{ name: a, channels: [emial], escalation: boss }]\nchannels: { email: { type: smtp } }\nrule: []',
    );
    const paths = problemsOf(yaml, { LOG_LEVEL: 'loud', DATABASE_URL: 'x' }).map((line) => line.split(': ')[0]);
    expect(paths.toSorted()).toEqual([
      'DATABASE_URL',
      'LOG_LEVEL',
      'channels.email.to',
      'channels.email.url',
      'jobs[0].table',
      'routes[0].channels[0]',
      'routes[0].escalation',
      'rule',
    ]);
  });

  test('warns of channels and escalations that nothing uses', () => {
    const yaml =
      'routes: [{ name: all, channels: [outbox] }]\nchannels: { a: { type: console } }\nescalations: { e: { after: 1m, channels: [outbox] } }';
    expect(loadText(yaml).warnings).toEqual([
      'The channel "a" is declared, but no route or escalation uses it.',
      'The escalation "e" is declared, but no route uses it.',
    ]);
  });
});
