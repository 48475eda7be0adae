import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { at } from '../fixtures/builders.ts';
import { fillUrl } from './compose-message.ts';
import type { ItemKind, MessageItem, MessageJob } from './digest-message.ts';
import { forHumans, headlineCharsMax, headlineOf, subjectCharsMax, subjectOf } from './message-words.ts';

const job = (changes: Partial<MessageJob> = {}): MessageJob => ({
  table: 'research_jobs',
  jobId: '4711',
  source: 'apple',
  jobType: 'refresh_catalog',
  targetId: 'songs',
  kind: 'failed',
  attempts: 3,
  maxAttempts: 3,
  failedAt: at(182),
  notes: [],
  adminUrl: null,
  ...changes,
});
const item = (
  changes: Partial<MessageItem> = {},
  jobs: readonly MessageJob[] = [job()],
  error: string | null = 'HTTP 503',
): MessageItem => ({
  kind: 'new',
  alertId: 'a',
  alerts: 1,
  title: 'apple/refresh_catalog/songs',
  severity: 'error',
  source: 'apple',
  jobType: 'refresh_catalog',
  targetId: 'songs',
  chain: null,
  failures: 1,
  occurrences: 1,
  causes: [{ signature: 's1:0', error, count: 1, jobs, moreJobs: 0 }],
  moreCauses: 0,
  since: at(182),
  lastFailedAt: at(182),
  acknowledgedBy: null,
  resolution: null,
  lapse: null,
  escalation: null,
  predecessor: null,
  adminUrl: null,
  tocsinUrl: null,
  ...changes,
});
const chain = (missing: readonly string[] = [], lastGreenAt: string | null = null): MessageItem['chain'] => ({
  name: 'catalog',
  run: at(180),
  missing,
  lastGreenAt,
  failedRuns: 1,
});
const resolution = (changes: Partial<NonNullable<MessageItem['resolution']>> = {}): MessageItem['resolution'] => ({
  resolvedAt: at(187),
  reason: 'succeeded',
  by: null,
  downtimeMs: 300_000,
  ...changes,
});

describe('subjectOf', () => {
  test.for([
    ['one job', [item()], 'apple/refresh_catalog/songs failed'],
    ['a critical one', [item({ severity: 'critical' })], '[critical] apple/refresh_catalog/songs failed'],
    ['a dead one', [item({}, [job({ kind: 'dead' })])], 'apple/refresh_catalog/songs is dead'],
    ['a stuck one', [item({}, [job({ kind: 'stuck' })])], 'apple/refresh_catalog/songs is stuck'],
    ['one of a kind unknown here', [item({}, [job({ kind: 'constructor' })])], 'apple/refresh_catalog/songs failed'],
    [
      'steps of a chain',
      [item({ title: 'apple/catalog', chain: chain(['rebuild_index']) }, [job(), job({ targetId: 'albums' })])],
      'apple/catalog: songs and albums failed, rebuild_index did not run',
    ],
    [
      'steps of several types with targets',
      [
        item({ title: 'apple/catalog', chain: chain(['publish/web', 'publish/app']) }, [
          job(),
          job({ jobType: 'check' }),
        ]),
      ],
      'apple/catalog: refresh_catalog/songs and check/songs failed, web and app did not run',
    ],
    [
      'many targets',
      [item({ alerts: 20, failures: 20, title: 'apple/refresh_catalog' })],
      'apple/refresh_catalog failed for 20 targets',
    ],
    [
      'several items',
      [item({ failures: 3 }), item({ title: 'b' }), item({ title: 'c' }), item({ title: 'd' })],
      '6 failures: apple/refresh_catalog/songs (3), b, c and 1 more',
    ],
    [
      'one failure beside recoveries',
      [item(), item({ kind: 'resolved', title: 'b', resolution: resolution() })],
      'apple/refresh_catalog/songs failed',
    ],
    [
      'an escalation whose conversation is not known any more',
      [item({ kind: 'escalated', failures: 0 })],
      'apple/refresh_catalog/songs failed, nobody has acknowledged it',
    ],
    [
      'several escalations',
      [item({ kind: 'escalated', failures: 0 }), item({ kind: 'escalated', title: 'b', failures: 0 })],
      '2 problems: apple/refresh_catalog/songs and b',
    ],
    [
      'several recoveries',
      [item({ kind: 'resolved', failures: 0 }), item({ kind: 'resolved', title: 'b', failures: 0 })],
      '2 problems over: apple/refresh_catalog/songs and b',
    ],
    ['one recovery', [item({ kind: 'resolved', resolution: resolution() })], 'apple/refresh_catalog/songs works again'],
  ] as const)('names %s', ([, items, subject]) => {
    expect(
      subjectOf(
        items,
        items.reduce((sum, one) => sum + one.failures, 0),
      ),
    ).toBe(subject);
  });
});

describe('headlineOf', () => {
  test.for([
    ['a failure without error text', [item({}, [job()], null)], 'apple/refresh_catalog/songs failed.'],
    [
      'only the first line of an error',
      [item({}, [job()], 'boom!\n  at x')],
      'apple/refresh_catalog/songs failed: boom!',
    ],
    [
      'a recovery on another day',
      [item({ kind: 'recovered', since: at(1_439), resolution: resolution({ resolvedAt: at(1_444) }) })],
      'apple/refresh_catalog/songs failed on Mon 2 Mar at 23:59 and recovered on Tue 3 Mar 00:04 UTC (5 min): HTTP 503.',
    ],
    [
      'many that failed and recovered',
      [item({ kind: 'recovered', alerts: 7, title: 'apple/refresh_catalog', resolution: resolution() })],
      'apple/refresh_catalog failed for 7 targets and recovered: HTTP 503.',
    ],
    [
      'one closed by hand before it was told',
      [item({ kind: 'recovered', resolution: resolution({ reason: 'operator', by: 'bob' }) })],
      'apple/refresh_catalog/songs failed: HTTP 503. Closed by bob.',
    ],
    [
      'many that work again',
      [item({ kind: 'resolved', alerts: 7, occurrences: 9, title: 'apple/refresh_catalog', resolution: resolution() })],
      'Resolved: 7 targets of apple/refresh_catalog work again after 5 min. 9 failures.',
    ],
    [
      'what else is in the message',
      [item(), item(), item({ kind: 'resolved', alerts: 12 })],
      'apple/refresh_catalog/songs failed: HTTP 503. Also in this message: 1 more problem, 12 recovered.',
    ],
    [
      'the first time again after a quiet week',
      [item({ predecessor: { alertId: 'b', resolvedAt: at(0), recentCount: 0 } })],
      'apple/refresh_catalog/songs failed again: HTTP 503.',
    ],
    [
      'the twelfth time',
      [item({ predecessor: { alertId: 'b', resolvedAt: at(0), recentCount: 11 } })],
      'apple/refresh_catalog/songs failed again, 12th time this week: HTTP 503.',
    ],
    [
      'a chain that failed with nothing behind it',
      [item({ chain: chain([], at(-10_000)) })],
      'songs failed: HTTP 503. Last good run Mon 23 Feb 01:20 UTC.',
    ],
  ] as const)('tells of %s', ([, items, headline]) => {
    expect(headlineOf(items)).toBe(headline);
  });

  test('is empty for an empty message', () => {
    expect(headlineOf([])).toBe('');
  });
});

test('whatever the rows hold, subject and headline are one line, bounded, well formed and without controls', () => {
  const hostile = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 300 }),
    fc.constantFrom(
      '\r\nBcc: everybody@example.org',
      '\u202egnp.exe',
      '<script>alert(1)</script>',
      '\u001b[2J',
      '\ud800',
      '__proto__',
    ),
  );
  const kind = fc.constantFrom<ItemKind>('new', 'again', 'escalated', 'lapsed', 'recovered', 'resolved');
  const items = fc.array(
    fc
      .tuple(kind, hostile, hostile, hostile, fc.boolean(), fc.nat({ max: 1e6 }))
      .map(([ofKind, title, targetId, error, inChain, count]) =>
        item(
          {
            kind: ofKind,
            title,
            alerts: (count % 3) + 1,
            failures: count,
            chain: inChain
              ? { name: title, run: at(180), missing: [targetId], lastGreenAt: null, failedRuns: 1 }
              : null,
            resolution: ofKind === 'resolved' ? resolution() : null,
          },
          [job({ targetId, jobType: title, kind: error })],
          error,
        ),
      ),
    { maxLength: 6 },
  );
  fc.assert(
    fc.property(items, (list) => {
      for (const [text, charsMax] of [
        [subjectOf(list, 5), subjectCharsMax],
        [headlineOf(list), headlineCharsMax],
      ] as const) {
        expect(text.length).toBeLessThanOrEqual(charsMax);
        expect(text.isWellFormed()).toBe(true);
        // oxlint-disable-next-line no-control-regex -- their absence is the point
        expect(text).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/);
      }
    }),
    { numRuns: 500 },
  );
});

test.for([
  [0, '0 s'],
  [59_400, '59 s'],
  [59_600, '1 min'],
  [3_599_999, '1 h'],
  [5_400_000, '1 h 30 min'],
  [47 * 3_600_000, '47 h'],
  [48 * 3_600_000, '2 days'],
  [76 * 3_600_000, '3 days 4 h'],
] as const)('%i ms are %s for people', ([ms, text]) => {
  expect(forHumans(ms)).toBe(text);
});

test('a hostile target cannot leave its place in the link to the admin page', () => {
  const url = fillUrl('https://admin.example/{source}/{job_type}?t={target_id}&id={id}', {
    source: 'a/b',
    jobType: '../x',
    targetId: '{id}&y=1#',
    jobId: '7\ud800',
  });
  expect(url).toBe('https://admin.example/a%2Fb/..%2Fx?t=%7Bid%7D%26y%3D1%23&id=7%EF%BF%BD');
});
