import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { at } from '../fixtures/builders.ts';
import { fillUrl } from './compose-message.ts';
import type { ItemKind, MessageDevelopment, MessageIncident, MessageItem, MessageJob } from './digest-message.ts';
import { kindRank } from './fold-items.ts';
import { forHumans } from './for-humans.ts';
import type { WholeMessage } from './incident-words.ts';
import { headlineCharsMax, headlineOf, subjectCharsMax, subjectOf } from './message-words.ts';
import { quietHeadlineOf, quietSubjectOf } from './quiet-words.ts';

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

const development = (what: MessageDevelopment['what'], detail: string | null, jobId = '4711'): MessageDevelopment => ({
  what,
  jobId,
  kind: 'stuck',
  at: at(200),
  detail,
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
    [
      'work nobody picks up',
      [item({}, [job({ kind: 'stalled' })])],
      'apple/refresh_catalog/songs waits and nobody picks it up',
    ],
    [
      'a type of which no job ends',
      [item({ title: 'apple/import' }, [job({ kind: 'zero_throughput' })])],
      'apple/import runs and no job of it ends',
    ],
    [
      'a table that cannot be judged',
      [item({ title: 'Watched table jobs' }, [job({ kind: 'unhealthy' })])],
      'Watched table jobs cannot be judged',
    ],
    [
      'a part of Tocsin',
      [item({ title: 'Channel email' }, [job({ kind: 'unhealthy', jobId: 'channel/email' })])],
      'Channel email needs attention',
    ],
    [
      'part of a job',
      [item({ severity: 'warning' }, [job({ kind: 'partial' })])],
      '[warning] apple/refresh_catalog/songs failed in part',
    ],
    [
      'a late run and an overdue schedule as the chain’s, whatever step they name',
      [
        item({ title: 'apple/catalog', chain: chain(['rebuild_index']) }, [
          job({ kind: 'deadline', jobId: 'run:catalog:1' }),
        ]),
      ],
      'apple/catalog has not finished in time',
    ],
    [
      'several kinds in a chain, what is over for good first',
      [
        item({ title: 'apple/catalog', chain: chain() }, [
          job({ kind: 'deadline', jobId: 'run:catalog:1', targetId: 'artists' }),
          job({ kind: 'stuck', jobId: '2', targetId: 'albums' }),
          job({ jobId: '3' }),
        ]),
      ],
      'apple/catalog: songs failed and albums is stuck',
    ],
    [
      'a job that was stuck and then failed as failed',
      [item({ failures: 2 }, [job({ kind: 'stuck' }), job()])],
      'apple/refresh_catalog/songs failed',
    ],
    [
      'conditions, which are no failures, when they are counted',
      [item({}, [job({ kind: 'stuck' })]), item({ title: 'b' }, [job({ kind: 'overdue' })])],
      '2 problems: apple/refresh_catalog/songs and b',
    ],
    [
      'a condition that was over before it was told',
      [item({ kind: 'recovered', resolution: resolution({ reason: 'retracted' }) }, [job({ kind: 'stuck' })])],
      'apple/refresh_catalog/songs was stuck for a while',
    ],
    [
      'a condition that is over, in a conversation nobody remembers',
      [
        item({ kind: 'resolved', alerts: 3, resolution: resolution({ reason: 'retracted' }) }, [
          job({ kind: 'stalled' }),
        ]),
      ],
      '3 targets of apple/refresh_catalog/songs are no longer waiting for a worker',
    ],
    [
      'what the janitor did',
      [
        item(
          {
            kind: 'update',
            severity: 'critical',
            failures: 0,
            developments: [development('requeued', 'restart 1 of 3')],
          },
          [job({ kind: 'stuck' })],
        ),
      ],
      'apple/refresh_catalog/songs was requeued by the janitor, restart 1 of 3',
    ],
    [
      'several updates',
      [
        item({ kind: 'update', failures: 0, developments: [development('retracted', null)] }),
        item({ kind: 'update', title: 'b', failures: 0, developments: [development('retracted', null)] }),
      ],
      '2 updates: apple/refresh_catalog/songs and b',
    ],
    ['one that is back', [item({ kind: 'regressed' })], 'apple/refresh_catalog/songs failed'],
    [
      'one that comes and goes',
      [item({ kind: 'flapping' })],
      'apple/refresh_catalog/songs keeps failing and recovering',
    ],
    [
      'a condition that comes and goes',
      [item({ kind: 'flapping' }, [job({ kind: 'stuck' })])],
      'apple/refresh_catalog/songs is stuck again and again',
    ],
    ['one that stays broken', [item({ kind: 'settled' })], 'apple/refresh_catalog/songs keeps failing'],
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
      'a stuck job with what was expected and seen',
      [
        item(
          {},
          [job({ kind: 'stuck' })],
          'No heartbeat for 22 min; jobs of this type may be silent for 15 min (rules[0]).',
        ),
      ],
      'apple/refresh_catalog/songs is stuck: no heartbeat for 22 min; jobs of this type may be silent for 15 min (rules[0]).',
    ],
    [
      'long words of a condition up to a whole sentence',
      [item({}, [job({ kind: 'overdue' })], `Expected by Mon 03:00. ${'Nothing more is known. '.repeat(20)}`)],
      `apple/refresh_catalog/songs is overdue: expected by Mon 03:00.${' Nothing more is known.'.repeat(6)}`,
    ],
    [
      'the cause of what decides, when a job was stuck before it failed',
      [
        item({
          causes: [
            {
              signature: 'a',
              error: 'No heartbeat for 22 min.',
              count: 1,
              jobs: [job({ kind: 'stuck' })],
              moreJobs: 0,
            },
            { signature: 'b', error: 'HTTP 503', count: 1, jobs: [job()], moreJobs: 0 },
          ],
        }),
      ],
      'apple/refresh_catalog/songs failed: HTTP 503.',
    ],
    [
      'a job that is stuck once more',
      [item({ kind: 'again', occurrences: 3 }, [job({ kind: 'stuck' })], null)],
      'apple/refresh_catalog/songs is stuck again. 3 occurrences since Mon 2 Mar 03:02 UTC.',
    ],
    [
      'work that nobody picks up, again and again',
      [item({ predecessor: { alertId: 'b', resolvedAt: at(0), recentCount: 2 } }, [job({ kind: 'stalled' })], null)],
      'apple/refresh_catalog/songs waits and nobody picks it up, again, third time this week.',
    ],
    [
      'the end of an acknowledgement of what has not failed',
      [
        item(
          { kind: 'lapsed', lapse: { by: 'ann', acknowledgedAt: at(0), reason: 'time' } },
          [job({ kind: 'stuck' })],
          null,
        ),
      ],
      'Still so, and the acknowledgement by ann has ended. apple/refresh_catalog/songs is stuck.',
    ],
    [
      'a condition that is over, by what happened',
      [
        item(
          {
            kind: 'resolved',
            failures: 0,
            resolution: resolution({ reason: 'retracted', note: 'a sign of life at 03:20', downtimeMs: 1_080_000 }),
          },
          [job({ kind: 'stuck' })],
        ),
      ],
      'apple/refresh_catalog/songs is no longer stuck, after 18 min: a sign of life at 03:20.',
    ],
    [
      'a condition that was over before it was told',
      [
        item({ kind: 'recovered', resolution: resolution({ reason: 'succeeded', note: 'it succeeded after all' }) }, [
          job({ kind: 'overdue' }),
        ]),
      ],
      'apple/refresh_catalog/songs was overdue from 03:02 to 03:07 UTC on Mon 2 Mar (5 min): it succeeded after all.',
    ],
    [
      'one of several jobs that goes on, by its name',
      [
        item(
          {
            kind: 'update',
            title: 'apple/refresh_catalog',
            developments: [development('retracted', 'a sign of life at 03:20')],
          },
          [job({ kind: 'stuck' })],
        ),
      ],
      'apple/refresh_catalog: songs is no longer stuck: a sign of life at 03:20. The alert stays open.',
    ],
    [
      'a job the message does not list, and how much else has changed',
      [
        item({
          kind: 'update',
          title: 'apple/refresh_catalog',
          developments: [
            development('marked-dead', null, '8'),
            development('repair-skipped', 'its checkpoint is not valid', '9'),
          ],
          moreDevelopments: 4,
        }),
      ],
      'apple/refresh_catalog: job 9 was left alone by the janitor: its checkpoint is not valid, and 5 more changes. The alert stays open.',
    ],
    [
      'a schedule as the alert itself',
      [
        item({
          kind: 'update',
          developments: [{ ...development('retracted', null, 'schedule:nightly'), kind: 'overdue' }],
        }),
      ],
      'apple/refresh_catalog/songs is no longer overdue. The alert stays open.',
    ],
    [
      'what else is in the message, by what it is',
      [
        item(),
        item({ kind: 'update', developments: [development('retracted', null)] }),
        item({ kind: 'resolved', resolution: resolution({ reason: 'retracted' }) }),
      ],
      'apple/refresh_catalog/songs failed: HTTP 503. Also in this message: 1 update, 1 over.',
    ],
    [
      'a failure after it was stuck and had failed before',
      [item({ kind: 'again', occurrences: 3, conditions: { stuck: 1 } })],
      'apple/refresh_catalog/songs failed again: HTTP 503. 3 occurrences since Mon 2 Mar 03:02 UTC.',
    ],
    [
      'a first failure beside one more wait',
      [
        item({
          kind: 'again',
          failures: 2,
          occurrences: 3,
          conditions: { stalled: 2 },
          causes: [
            { signature: 'a', error: 'It has been due.', count: 1, jobs: [job({ kind: 'stalled' })], moreJobs: 0 },
            { signature: 'b', error: 'HTTP 503', count: 1, jobs: [job()], moreJobs: 0 },
          ],
        }),
      ],
      'apple/refresh_catalog/songs was waiting for a worker and has now failed: HTTP 503.',
    ],
    [
      'a queue nobody works at, by its number',
      [
        item(
          { title: 'apple/import' },
          [job({ kind: 'stalled', jobId: 'type:apple/import' })],
          '30 apple/import jobs wait and no worker picks them up; the oldest has been due for 2 h. Is its worker running?',
        ),
      ],
      '30 apple/import jobs wait and no worker picks them up; the oldest has been due for 2 h. Is its worker running?',
    ],
    [
      'a table that cannot be read, with the whole cause',
      [
        item(
          { title: 'Watched table far' },
          [job({ kind: 'unhealthy', jobId: 'table:unreadable' })],
          'No PostgreSQL answers at db.example:5432: connect ECONNREFUSED 10.0.0.7:5432. Start the server, or correct host and port in jobs "far".',
        ),
      ],
      'Watched table far cannot be read: No PostgreSQL answers at db.example:5432: connect ECONNREFUSED 10.0.0.7:5432. Start the server, or correct host and port in jobs "far".',
    ],
    [
      'a table that can be read again',
      [
        item(
          {
            kind: 'resolved',
            title: 'Watched table far',
            resolution: resolution({ reason: 'retracted', note: 'the table can be read again' }),
          },
          [job({ kind: 'unhealthy', jobId: 'table:unreadable' })],
        ),
      ],
      'Watched table far can be read again, after 5 min.',
    ],
    [
      'a repeated escalation',
      [
        item({
          kind: 'escalated',
          escalation: { level: 3, repeat: 1, name: 'on-call', afterMs: 5_400_000, toldBefore: [] },
        }),
      ],
      'Still not acknowledged after 1 h 30 min: apple/refresh_catalog/songs failed: HTTP 503.',
    ],
    [
      'an acknowledgement that held for some more failures',
      [item({ kind: 'lapsed', failures: 5, lapse: { by: 'ann', acknowledgedAt: at(0), reason: 'failures' } })],
      'Failed 5 more times, so the acknowledgement by ann has ended. apple/refresh_catalog/songs failed: HTTP 503.',
    ],
    [
      'one more failure that ends an acknowledgement',
      [item({ kind: 'lapsed', lapse: { by: 'ann', acknowledgedAt: at(0), reason: 'failures' } })],
      'Failed once more, so the acknowledgement by ann has ended. apple/refresh_catalog/songs failed: HTTP 503.',
    ],
    [
      'several alerts whose acknowledgement ended by failures',
      [
        item({
          kind: 'lapsed',
          alerts: 3,
          failures: 9,
          lapse: { by: 'ann', acknowledgedAt: at(0), reason: 'failures' },
        }),
      ],
      'It kept failing, so the acknowledgement by ann has ended. apple/refresh_catalog/songs failed for 3 targets: HTTP 503.',
    ],
    [
      'a condition that happened too often for an acknowledgement',
      [
        item(
          { kind: 'lapsed', failures: 2, lapse: { by: 'ann', acknowledgedAt: at(0), reason: 'failures' } },
          [job({ kind: 'stuck' })],
          null,
        ),
      ],
      'It happened 2 times more, so the acknowledgement by ann has ended. apple/refresh_catalog/songs is stuck.',
    ],
    [
      'one that comes and goes: once, and what to expect',
      [item({ kind: 'flapping', flapping: { count: 6, withinMs: 7_200_000, holdMs: 1_800_000 } })],
      'apple/refresh_catalog/songs keeps failing and recovering, 6 times in 2 h: HTTP 503. The next message comes when it has settled.',
    ],
    [
      'one that no longer comes and goes',
      [item({ kind: 'settled', flapping: { count: 6, withinMs: 7_200_000, holdMs: 1_800_000 } })],
      'apple/refresh_catalog/songs has been failing for 30 min without a break: HTTP 503. It no longer comes and goes.',
    ],
    [
      'a condition that no longer comes and goes',
      [item({ kind: 'settled' }, [job({ kind: 'stuck' })], null)],
      'No longer comes and goes: apple/refresh_catalog/songs is stuck.',
    ],
    [
      'one that has settled',
      [
        item({
          kind: 'resolved',
          occurrences: 9,
          flapping: { count: 6, withinMs: 7_200_000, holdMs: 1_800_000 },
          resolution: resolution(),
        }),
      ],
      'Settled: apple/refresh_catalog/songs has been fine since Mon 2 Mar 03:07 UTC. 9 failures.',
    ],
    [
      'one that got worse',
      [item({ kind: 'worse', severity: 'critical', severityBefore: 'warning', occurrences: 5 })],
      'Now critical, was warning: apple/refresh_catalog/songs failed again: HTTP 503. 5 failures since Mon 2 Mar 03:02 UTC.',
    ],
    [
      'one that is back',
      [item({ kind: 'regressed', predecessor: { alertId: 'b', resolvedAt: at(0), recentCount: 2 } })],
      'apple/refresh_catalog/songs failed again, third time this week: HTTP 503.',
    ],
    [
      'what failed under a silence',
      [item({ kind: 'unsilenced', silence: { by: 'ann', reason: 'deploy', endedBy: null } })],
      'apple/refresh_catalog/songs failed on Mon 2 Mar 03:02 UTC while silenced by ann (deploy): HTTP 503. The silence is over.',
    ],
    [
      'what failed often under a silence that somebody ended',
      [item({ kind: 'unsilenced', failures: 4, silence: { by: 'ann', reason: null, endedBy: 'bob' } })],
      'apple/refresh_catalog/songs failed 4 times, the last time on Mon 2 Mar 03:02 UTC while silenced by ann: HTTP 503. bob ended the silence.',
    ],
    ['what is open', [item({ kind: 'open' })], 'Still open: apple/refresh_catalog/songs failed: HTTP 503.'],
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

describe('an incident', () => {
  const incident = (changes: Partial<MessageIncident> = {}): MessageIncident => ({
    keys: 5_000,
    withinMs: 300_000,
    source: 'apple',
    causes: 3,
    byJobType: [
      { source: 'apple', jobType: 'import', alerts: 3_000 },
      { source: 'apple', jobType: 'export', alerts: 2_000 },
    ],
    moreJobTypes: 0,
    firstFailedAt: at(182),
    lastFailedAt: at(187),
    ...changes,
  });
  const whole = (changes: Partial<WholeMessage> = {}): WholeMessage => ({
    failures: 5_000,
    incident: incident(),
    followUp: false,
    threadOpen: 5_000,
    resolved: 0,
    ...changes,
  });
  const oneType = incident({ byJobType: [{ source: 'apple', jobType: 'import', alerts: 5_000 }], causes: 1 });
  const cause = (alerts: number, error: string | null, changes: Partial<MessageItem> = {}, kind = 'failed') =>
    item({ alerts, failures: alerts, occurrences: alerts, ...changes }, [job({ kind })], error);
  const three = [
    cause(3_000, 'psycopg.OperationalError: connection refused'),
    cause(1_500, 'TimeoutError: read timed out'),
    cause(500, null),
  ];

  test.for<[string, readonly MessageItem[], WholeMessage, string, string]>([
    [
      'says how many, of how many types, when, and why',
      three,
      whole(),
      '5,000 apple jobs of 2 types failed: 3 causes',
      '5,000 apple jobs of 2 types failed, Mon 2 Mar 03:02 to 03:07 UTC. 3,000: OperationalError: connection refused; 1,500: TimeoutError: read timed out; 500: no error text.',
    ],
    [
      'of one type and cause names both',
      [cause(5_000, 'HTTP 503')],
      whole({ incident: oneType }),
      '5,000 apple/import jobs failed: one cause',
      '5,000 apple/import jobs failed, Mon 2 Mar 03:02 to 03:07 UTC. Cause: HTTP 503.',
    ],
    [
      'of several sources names none, and counts the causes it does not tell',
      three,
      whole({ incident: incident({ source: null, causes: 40, moreJobTypes: 7 }) }),
      '5,000 jobs of 9 types failed: 40 causes',
      '5,000 jobs of 9 types failed, Mon 2 Mar 03:02 to 03:07 UTC. 3,000: OperationalError: connection refused; 1,500: TimeoutError: read timed out; 500: no error text; and 37 more causes.',
    ],
    [
      'marks what is critical',
      [cause(5_000, 'HTTP 503', { severity: 'critical' })],
      whole({ incident: oneType }),
      '[critical] 5,000 apple/import jobs failed: one cause',
      '5,000 apple/import jobs failed, Mon 2 Mar 03:02 to 03:07 UTC. Cause: HTTP 503.',
    ],
    [
      'that goes on counts what is more, and what recovered meanwhile',
      [cause(200, 'HTTP 503'), cause(80, 'HTTP 503', { kind: 'resolved', failures: 0, resolution: resolution() })],
      whole({ failures: 200, resolved: 80, followUp: true, incident: { ...oneType, keys: 200 } }),
      '200 more apple/import jobs failed: one cause',
      '200 more apple/import jobs failed, Mon 2 Mar 03:02 to 03:07 UTC. Cause: HTTP 503. Also in this message: 80 recovered.',
    ],
    [
      'that nobody answers says so, and counts the alerts',
      [
        cause(5_000, 'HTTP 503', {
          kind: 'escalated',
          failures: 0,
          escalation: { level: 1, repeat: 0, name: 'on-call', afterMs: 1_800_000, toldBefore: [] },
        }),
      ],
      whole({ failures: 0, followUp: true, incident: oneType }),
      '5,000 apple/import jobs failed: one cause, nobody has acknowledged it',
      'Not acknowledged for 30 min: 5,000 apple/import jobs failed, Mon 2 Mar 03:02 to 03:07 UTC. Cause: HTTP 503.',
    ],
    [
      'of one condition says what is so',
      [cause(60, null, { conditions: { stuck: 60 } }, 'stuck')],
      whole({ failures: 60, incident: { ...oneType, keys: 60, lastFailedAt: at(182) } }),
      '60 apple/import jobs are stuck: one cause',
      '60 apple/import jobs are stuck, Mon 2 Mar 03:02 UTC. Cause: no error text.',
    ],
    [
      'of failures and conditions calls them problems',
      [cause(60, 'HTTP 503'), cause(40, null, { conditions: { stuck: 40 } }, 'stuck')],
      whole({ failures: 100, incident: { ...oneType, keys: 100, causes: 2 } }),
      '100 problems: 2 causes',
      '100 problems, Mon 2 Mar 03:02 to 03:07 UTC. 60: HTTP 503; 40: no error text.',
    ],
    [
      'that is over in part says what is left',
      [cause(4_000, 'HTTP 503', { kind: 'resolved', failures: 0, resolution: resolution() })],
      whole({ failures: 0, resolved: 4_000, followUp: true, threadOpen: 1_000, incident: { ...oneType, keys: 0 } }),
      '4,000 jobs work again',
      '4,000 jobs work again. 1,000 of this conversation are still open.',
    ],
    [
      'that is over says that nothing is left',
      [cause(2, 'HTTP 503', { kind: 'resolved', failures: 0, resolution: resolution() })],
      whole({ failures: 0, resolved: 2, followUp: true, threadOpen: 0, incident: { ...oneType, keys: 0 } }),
      '2 jobs work again',
      '2 jobs work again. Nothing of this conversation is open any more.',
    ],
    [
      'of alerts with many failures each is over by alert',
      [cause(3, 'HTTP 503', { kind: 'resolved', failures: 0, occurrences: 50, resolution: resolution() })],
      whole({ failures: 0, resolved: 3, followUp: true, threadOpen: 0, incident: { ...oneType, keys: 0 } }),
      '3 problems are over',
      '3 problems are over. Nothing of this conversation is open any more.',
    ],
    [
      'of a single alert is told like any other',
      [item()],
      whole({ failures: 1, incident: { ...oneType, keys: 1 } }),
      'apple/refresh_catalog/songs failed',
      'apple/refresh_catalog/songs failed: HTTP 503.',
    ],
  ])('%s', ([, items, message, subject, headline]) => {
    expect(subjectOf(items, message.failures, message)).toBe(subject);
    expect(headlineOf(items, message)).toBe(headline);
  });
});

describe('all quiet', () => {
  test.for<[readonly MessageItem[], number, string, string]>([
    [[], 0, 'All quiet', 'All quiet: nothing is open, and Tocsin is watching.'],
    [
      [item({ kind: 'open' })],
      1,
      'All quiet, 1 open',
      'Nothing new. 1 alert is still open, the oldest since Mon 2 Mar 03:02 UTC.',
    ],
    [
      [item({ kind: 'open', severity: 'critical', alerts: 2, since: at(300) }), item({ kind: 'open' })],
      1_200,
      'All quiet, 1,200 open',
      'Nothing new. 1,200 alerts are still open, 2 of them critical, the oldest since Mon 2 Mar 03:02 UTC.',
    ],
  ])('with %#', ([items, open, subject, headline]) => {
    expect(quietSubjectOf(open)).toBe(subject);
    expect(quietHeadlineOf(items, open)).toBe(headline);
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
  const kind = fc.constantFrom<ItemKind>(...(Object.keys(kindRank) as ItemKind[]));
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
            resolution:
              ofKind === 'resolved' ? resolution({ note: error, reason: inChain ? 'retracted' : 'succeeded' }) : null,
            silence: { by: title, reason: error, endedBy: inChain ? targetId : null },
            lapse: { by: targetId, acknowledgedAt: at(0), reason: 'failures' },
            flapping: { count, withinMs: count, holdMs: count },
            severityBefore: inChain ? 'info' : null,
            developments: [development('retracted', error, targetId), development('requeued', title)],
          },
          [job({ targetId, jobType: title, kind: error })],
          error,
        ),
      ),
    { maxLength: 6 },
  );
  fc.assert(
    fc.property(items, hostile, fc.nat({ max: 40 }), (list, source, keys) => {
      const byJobType = [{ source, jobType: source, alerts: keys }];
      const whole: WholeMessage = {
        failures: keys,
        incident: {
          keys,
          withinMs: 1,
          source: keys % 2 === 0 ? source : null,
          causes: keys,
          byJobType,
          moreJobTypes: keys % 3,
          firstFailedAt: at(0),
          lastFailedAt: at(keys),
        },
        followUp: keys % 2 === 0,
        threadOpen: keys,
        resolved: keys,
      };
      for (const [text, charsMax] of [
        [subjectOf(list, 5), subjectCharsMax],
        [headlineOf(list), headlineCharsMax],
        [subjectOf(list, 5, whole), subjectCharsMax],
        [headlineOf(list, whole), headlineCharsMax],
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
  [59_600, '59 s'],
  [3_599_999, '59 min'],
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
