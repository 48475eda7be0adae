import { describe, expect, test } from 'vitest';
import { problemsOfText } from './config-file.fixture.ts';

const file = (match: string, rest = '') => `routes: [{ name: a, match: { ${match} }, channels: [outbox] }]\n${rest}`;
const never = (path: string, why: string) => `routes[0].match${path}: this route is never used, because ${why}`;

describe('refuses routes that are never used', () => {
  test.each([
    {
      caption: 'for an adapter no table has, with the nearest one',
      yaml: file(
        'adapter: [oban, pgboss]',
        'jobs: [{ name: a, table: p.t, adapter: pg-boss }, { name: b, table: p.u, adapter: oban }]',
      ),
      problems: ['routes[0].match.adapter: no watched table has the adapter "pgboss"; did you mean "pg-boss"?'],
    },
    {
      caption: 'for an adapter where there is only the default table',
      yaml: file('adapter: oban'),
      problems: ['routes[0].match.adapter: no watched table has the adapter "oban"; valid: research_jobs'],
    },
    {
      caption: 'for kinds nothing looks for',
      yaml: file('kind: [overdue, zero_throughput]'),
      problems: [
        never(
          '.kind',
          'nothing is overdue without schedules, and no rule sets no_completion_after; change that or drop this match',
        ),
      ],
    },
    {
      caption: 'for deadlines where no chain has one',
      yaml: file('kind: deadline', 'chains: [{ name: c, source: s, steps: [{ job_type: x }] }]'),
      problems: [never('.kind', 'no chain has a deadline; change that or drop this match')],
    },
    {
      caption: 'for a kind that is switched off',
      yaml: file('kind: stuck', 'rules: [{ match: {}, stuck_after: off }, { match: { source: x }, stuck_after: 1h }]'),
      problems: [never('.kind', 'rules[0] has stuck_after: off for every job; change that or drop this match')],
    },
    {
      caption: 'for a severity the kind never has',
      yaml: file('kind: stuck, severity: warning', 'rules: [{ match: { kind: stalled }, severity: info }]'),
      problems: [
        never('.severity', 'no rule gives the severity warning (they give: error); add such a rule or drop this match'),
      ],
    },
    {
      caption: 'for a kind the rules ignore',
      yaml: file('kind: stuck, source: x', 'rules: [{ match: { kind: [stuck, stalled] }, ignore: true }]'),
      problems: [never('', 'rules[0] ignores every job it is for; drop one of the two')],
    },
    {
      caption: 'for kinds that several rules ignore',
      yaml: file(
        'kind: [stuck, stalled]',
        'rules: [{ match: { kind: stuck }, ignore: true }, { match: { kind: stalled }, ignore: true }]',
      ),
      problems: [never('', 'rules[0] and rules[1] ignore every job it is for; drop one of the two')],
    },
    {
      caption: 'for a kind that does not exist, once',
      yaml: file('kind: stuk'),
      problems: [
        'routes[0].match.kind: must be one of failed, dead, partial, stuck, stalled, overdue, deadline, zero_throughput, unhealthy; did you mean "stuck"?; got "stuk"',
      ],
    },
  ])('$caption', ({ yaml, problems }) => {
    expect(problemsOfText(yaml)).toEqual(problems);
  });
});

describe('accepts routes of which something may be', () => {
  test.each([
    ['one of several kinds occurs', file('kind: [overdue, failed]')],
    ['there are schedules', file('kind: overdue', 'schedules: [{ name: s, source: a, job_type: x, every: 1d }]')],
    [
      'a chain has a deadline',
      file('kind: deadline', 'chains: [{ name: c, source: s, deadline: 1h, steps: [{ job_type: x }] }]'),
    ],
    ['a rule asks for it', file('kind: zero_throughput', 'rules: [{ match: { source: x }, no_completion_after: 1h }]')],
    [
      'some jobs are excepted from what is switched off',
      file('kind: stuck', 'rules: [{ match: { source: x }, stuck_after: 1h }, { match: {}, stuck_after: off }]'),
    ],
    ['only some jobs are switched off', file('kind: partial', 'rules: [{ match: { source: x }, partial: off }]')],
    [
      'a rule for the kind gives the severity',
      file('kind: stuck, severity: info', 'rules: [{ match: { kind: stuck }, severity: info }]'),
    ],
    ['only another kind is ignored', file('kind: stuck', 'rules: [{ match: { kind: dead }, ignore: true }]')],
    [
      'only one of its kinds is ignored',
      file('kind: [stuck, dead]', 'rules: [{ match: { kind: dead }, ignore: true }]'),
    ],
    ['nothing limits its kinds', file('source: x', 'rules: [{ match: { kind: dead }, ignore: true }]')],
  ])('because %s', (_, yaml) => {
    expect(problemsOfText(yaml)).toEqual([]);
  });
});
