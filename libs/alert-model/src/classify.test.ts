import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  albums,
  artists,
  at,
  begins,
  chainPolicy,
  classified,
  everything,
  failure,
  fails,
  jobsPolicy,
  rebuild,
  runOf,
  songs,
  success,
  wholeRun,
  window,
} from '../fixtures/builders.ts';
import { classifyFailure, keysOfSuccess, worse } from './classify.ts';
import { globMatches } from './match.ts';
import type { Match, Policy, Rule } from './policy.ts';
import type { FailureSignal } from './signal.ts';

const rules = (...list: readonly Omit<Rule, 'name'>[]): Policy => ({
  ...jobsPolicy,
  rules: list.map((rule, index) => ({ ...rule, name: `rules[${index}]` })),
});

describe('the key of a failure', () => {
  test('is the job with its target by default', () => {
    expect(classified(failure())).toMatchObject({
      key: 'job/apple/refresh_catalog/songs',
      title: 'apple/refresh_catalog/songs',
      chain: null,
    });
  });

  test('leaves the target out when a rule groups by type', () => {
    const policy = rules({ match: { jobType: ['refresh_*'] }, groupBy: ['source', 'jobType'] });
    expect(classified(failure(), policy)).toMatchObject({
      key: 'job/apple/refresh_catalog',
      title: 'apple/refresh_catalog',
      rule: 'rules[0]',
    });
    expect(classified(failure({ jobType: 'import' }), policy)).toMatchObject({
      key: 'job/apple/import/songs',
      rule: null,
    });
  });

  test('keeps names with slashes and percent signs apart', () => {
    const keys = [
      failure({ source: 'a', jobType: 'b/c', targetId: 'd' }),
      failure({ source: 'a', jobType: 'b', targetId: 'c/d' }),
      failure({ source: 'a/b', jobType: 'c', targetId: 'd' }),
      failure({ source: 'a', jobType: 'b%2Fc', targetId: 'd' }),
      failure({ source: 'a', jobType: 'b', targetId: null }),
      failure({ source: 'a', jobType: 'b', targetId: '' }),
    ].map((signal) => classified(signal).key);
    expect(new Set(keys).size).toBe(keys.length);
  });

  test('is the chain for a step of a configured chain, in a run or repeated by hand', () => {
    for (const run of [runOf(0), null])
      expect(classified(failure({ run }), chainPolicy)).toMatchObject({
        key: 'chain/apple/catalog',
        title: 'apple/catalog',
      });
  });

  test('is the job for targets, types and sources the chain does not name', () => {
    expect(classified(failure({ targetId: 'podcasts' }), chainPolicy).key).toBe('job/apple/refresh_catalog/podcasts');
    expect(classified(failure({ jobType: 'cleanup' }), chainPolicy).key).toBe('job/apple/cleanup/songs');
    expect(classified(failure({ source: 'google' }), chainPolicy).key).toBe('job/google/refresh_catalog/songs');
  });

  test('is the unnamed chain of the source for a job with a run that no configured chain claims', () => {
    expect(classified(failure({ run: runOf(0) })).key).toBe('chain/apple/chain');
  });
});

describe('rules', () => {
  test('decide field by field: the first that matches and sets a field', () => {
    const policy = rules(
      { match: { source: ['apple'] }, severity: 'critical' },
      { match: {}, severity: 'info', groupBy: ['source', 'jobType'] },
    );
    expect(classified(failure(), policy)).toMatchObject({
      severity: 'critical',
      key: 'job/apple/refresh_catalog',
      rule: 'rules[0], rules[1]',
    });
    expect(classified(failure({ source: 'google' }), policy)).toMatchObject({ severity: 'info', rule: 'rules[1]' });
  });

  test('ignore a failure, naming the rule; an earlier rule can keep it', () => {
    const policy = rules(
      { match: { targetId: ['songs'] }, ignore: false },
      { match: { source: ['apple'] }, ignore: true },
    );
    expect(classifyFailure(failure({ targetId: 'albums' }), policy)).toEqual({ ignoredBy: 'rules[1]' });
    expect(classifyFailure(failure(), policy)).toHaveProperty('key');
  });

  test.for([
    ['failed', 'error'],
    ['dead', 'error'],
    ['partial', 'warning'],
    ['stuck', 'error'],
    ['stalled', 'warning'],
    ['overdue', 'error'],
    ['deadline', 'error'],
    ['zero_throughput', 'error'],
    ['unhealthy', 'error'],
  ] as const)('give %s the severity %s where none sets it', ([kind, severity]) => {
    expect(classified(failure({ kind })).severity).toBe(severity);
  });

  test('may be for some kinds only', () => {
    const policy = rules({ match: { kind: ['stuck', 'stalled'] }, severity: 'info', ignore: false });
    expect(classified(begins(), policy)).toMatchObject({ severity: 'info', rule: 'rules[0]' });
    expect(classified(failure(), policy)).toMatchObject({ severity: 'error', rule: null });
  });
});

describe('a job that succeeded in part', () => {
  const partial = (failed: number, total: number | null): FailureSignal =>
    failure({ kind: 'partial', error: null, counts: { failed, total } });

  test('is ignored within a share of one in a hundred, and says how much failed', () => {
    expect(classifyFailure(partial(10, 1_000), jobsPolicy)).toEqual({
      ignoredBy: 'default (10 of 1,000 parts failed)',
    });
    expect(classified(partial(11, 1_000))).toMatchObject({ severity: 'warning', rule: null });
  });

  test('is judged by the first rule that sets a limit, which is named when it decided', () => {
    const policy = rules(
      { match: { source: ['google'] }, partial: 'off' },
      { match: {}, partial: { failed: 2, ratio: null } },
    );
    expect(classifyFailure(partial(2, 3), policy)).toEqual({ ignoredBy: 'rules[1] (2 of 3 parts failed)' });
    expect(classified(partial(3, 1_000), policy).rule).toBe('rules[1]');
    expect(classifyFailure({ ...partial(3, 3), source: 'google' }, policy)).toEqual({
      ignoredBy: 'rules[0] (3 of 3 parts failed)',
    });
  });

  test('is told when it does not say how much of it failed', () => {
    expect(classified(failure({ kind: 'partial' }))).toHaveProperty('key');
  });

  test('is told with its counts, before the error it may have', () => {
    const [event] = fails(null, partial(51, 1_000)).events;
    expect(event).toMatchObject({ data: { error: '51 of 1,000 parts failed.' } });
    const [other] = fails(null, { ...partial(51, 1_000), error: 'KeyError: 7' }).events;
    expect(other).toMatchObject({ data: { error: '51 of 1,000 parts failed.\nKeyError: 7' } });
  });
});

describe('a threshold', () => {
  const policy = rules(
    { match: { kind: ['dead'] }, threshold: { kind: 'in-a-row', failures: 2 } },
    { match: {}, threshold: { kind: 'in-a-row', failures: 3 } },
  );

  test('is that of the first rule that matches and sets one', () => {
    expect(classified(failure(), policy).threshold).toEqual({
      rule: 'rules[1]',
      threshold: { kind: 'in-a-row', failures: 3 },
    });
    expect(classified(failure({ kind: 'dead' }), policy).threshold?.rule).toBe('rules[0]');
    expect(classified(failure()).threshold).toBeNull();
  });

  test('holds no condition back', () => {
    expect(classified(begins(), policy).threshold).toBeNull();
  });
});

test('a table that cannot be judged is named as what it is', () => {
  const signal = failure({ kind: 'unhealthy', source: 'tocsin', jobType: 'watch_table', targetId: 'jobs' });
  expect(classified(signal)).toMatchObject({ key: 'job/tocsin/watch_table/jobs', title: 'Watched table jobs' });
});

describe('routes', () => {
  const policy: Policy = {
    ...rules({ match: { source: ['apple'] }, severity: 'critical' }),
    routes: [
      { ...everything, name: 'night', match: { severity: ['critical'] } },
      { ...everything, name: 'google', match: { source: ['google'] } },
      everything,
    ],
  };

  test('all that match take part, matched with the severity the rules gave', () => {
    expect(classified(failure(), policy).routes.map((route) => route.name)).toEqual(['night', 'default']);
    expect(classified(failure({ source: 'google' }), policy).routes.map((route) => route.name)).toEqual([
      'google',
      'default',
    ]);
  });

  test('are frozen without the match, so that they are the policy of that moment', () => {
    expect(classified(failure()).routes).toEqual([
      {
        name: 'default',
        channels: ['email'],
        fallback: ['slack'],
        windowMs: 900_000,
        firstAtOnce: false,
        quietHours: [],
        breakThrough: ['critical'],
        escalation: everything.escalation,
      },
    ]);
  });

  test.for<readonly [caption: string, match: Match, found: boolean]>([
    ['of the kind', { kind: ['stuck', 'failed'] }, true],
    ['of another kind', { kind: ['stuck'] }, false],
    ['of the adapter', { adapter: ['oban', 'research_*'] }, true],
    ['of another adapter', { adapter: ['oban'] }, false],
    ['in its hours', { during: [window(3 * 60, 4 * 60)] }, true],
    ['outside its hours', { during: [window(4 * 60, 3 * 60)] }, false],
    ['in its hours on other days', { during: [window(3 * 60, 4 * 60, 6, 7)] }, false],
  ])('match a failure %s', ([, match, found]) => {
    const only = { ...jobsPolicy, routes: [{ ...everything, match }] };
    expect(classified(failure(), only).routes).toHaveLength(found ? 1 : 0);
  });

  test('are chosen by when the alert opens, not by when its failure was read', () => {
    const only = { ...jobsPolicy, routes: [{ ...everything, match: { during: [window(9 * 60, 17 * 60)] } }] };
    expect(classifyFailure(failure(), only, at(600))).toMatchObject({ routes: [{ name: 'default' }] });
    expect(classifyFailure(failure(), only, at(60))).toMatchObject({ routes: [] });
  });

  test('for an adapter are for watched tables only', () => {
    const only = { ...jobsPolicy, routes: [{ ...everything, match: { adapter: ['*_jobs'] } }] };
    expect(classified(failure({ table: 'tocsin.quarantine' }), only).routes).toEqual([]);
  });
});

describe('the steps of a chain', () => {
  test('are those configured, one for each target', () => {
    expect(classified(failure({ run: runOf(0) }), chainPolicy).chain).toEqual({ name: 'catalog', steps: wholeRun });
  });

  test('are learned from the latest green run for an unnamed chain, and unknown before there was one', () => {
    const runContext = { steps: [], learned: [songs, rebuild], lastGreenAt: at(-100) };
    expect(classified(failure({ run: runOf(0), runContext })).chain).toEqual({
      name: 'chain',
      steps: [songs, rebuild],
    });
    expect(classified(failure({ run: runOf(0) })).chain).toEqual({ name: 'chain', steps: null });
  });

  test('of a later stage that have not begun are missing; those of the same stage do not depend on it (7)', () => {
    const runContext = {
      steps: [
        { ...albums, status: 'succeeded' },
        { ...songs, status: 'failed' },
        { ...artists, status: 'running' },
        { ...rebuild, status: 'pending' },
      ],
      learned: [],
      lastGreenAt: null,
    };
    expect(classified(failure({ run: runOf(0), runContext }), chainPolicy).missing).toEqual([rebuild]);
    const begun = { ...runContext, steps: runContext.steps.map((step) => ({ ...step, status: 'running' })) };
    expect(classified(failure({ run: runOf(0), runContext: begun }), chainPolicy).missing).toEqual([]);
  });

  test('configured without targets have begun whatever target the row names', () => {
    const runContext = {
      steps: [{ ...rebuild, targetId: 'index-7', status: 'running' }],
      learned: [],
      lastGreenAt: null,
    };
    expect(classified(failure({ run: runOf(0), runContext }), chainPolicy).missing).toEqual([]);
  });

  test('are never missing outside a run', () => {
    expect(classified(failure(), chainPolicy).missing).toEqual([]);
  });
});

describe('keysOfSuccess', () => {
  test('names every key its failure could have had', () => {
    const signals = [
      {},
      { run: runOf(0) },
      { jobType: 'rebuild_index', targetId: null },
      { source: 'google', run: runOf(1) },
    ];
    const policies = [jobsPolicy, chainPolicy, rules({ match: {}, groupBy: ['source', 'jobType'] })];
    for (const changes of signals)
      for (const policy of policies)
        expect(keysOfSuccess(success(changes), policy)).toContain(classified(failure(changes), policy).key);
  });

  test('names the unnamed chain too, for a step repeated by hand outside its run', () => {
    expect(keysOfSuccess(success(), jobsPolicy)).toContain('chain/apple/chain');
  });

  test('names the job however it is grouped, so that a changed rule strands no open alert', () => {
    const keys = keysOfSuccess(success(), jobsPolicy);
    expect(keys).toContain('job/apple/refresh_catalog/songs');
    expect(keys).toContain('job/apple/refresh_catalog');
  });
});

describe('globMatches', () => {
  test('agrees with a regular expression', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '.', '/'), maxLength: 8 });
    const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '.', '*'), maxLength: 8 });
    fc.assert(
      fc.property(pattern, text, (glob, value) => {
        const oracle = new RegExp(
          `^${glob
            .split('*')
            .map((part) => part.replaceAll('.', '[.]'))
            .join('[^]*')}$`,
        );
        expect(globMatches(glob, value)).toBe(oracle.test(value));
      }),
      { numRuns: 3_000 },
    );
  });

  test('minds case and takes every other character as it is', () => {
    expect([
      globMatches('Apple', 'apple'),
      globMatches('a.c', 'abc'),
      globMatches('', ''),
      globMatches('*', ''),
    ]).toEqual([false, false, true, true]);
  });

  test('does not backtrack: a pattern with a thousand stars is compared at once', () => {
    expect(globMatches(`${'*a'.repeat(1_000)}*b`, 'a'.repeat(20_000))).toBe(false);
    expect(globMatches(`${'*a'.repeat(1_000)}*`, 'a'.repeat(20_000))).toBe(true);
  });
});

test('worse chooses the higher severity', () => {
  expect([worse('info', 'critical'), worse('error', 'warning'), worse('error', 'error')]).toEqual([
    'critical',
    'error',
    'error',
  ]);
});
