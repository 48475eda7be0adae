import { describe, expect, test } from 'vitest';
import {
  albums,
  alertId,
  at,
  chainPolicy,
  everything,
  failure,
  jobsPolicy,
  monday,
  rebuild,
  runOf,
  songs,
  success,
  wholeRun,
} from '../fixtures/builders.ts';
import { createHouse } from '../fixtures/house.ts';
import type { House } from '../fixtures/house.ts';
import type { AlertState } from './alert-state.ts';
import { decideAcknowledge } from './decide-acknowledge.ts';
import { decideResolve } from './decide.ts';
import type { Lease } from './event.ts';
import type { Policy } from './policy.ts';
import type { FailureSignal, Step } from './signal.ts';

const failsIn = (week: number, step: Step, minutes: number, changes: Partial<FailureSignal> = {}): FailureSignal =>
  failure({
    ...step,
    run: runOf(week),
    failedAt: at(monday(week) + 180 + minutes),
    runContext: { steps: [{ ...step, status: 'failed' }], learned: [], lastGreenAt: at(monday(-1) + 220) },
    ...changes,
  });

/** What was sent, in a line each. */
const lines = (house: House): readonly string[] =>
  house.sent.map(
    ({ channel, message }) => `${channel}: ${message.followUp ? 'Re: ' : ''}${message.subject} | ${message.headline}`,
  );
const fresh = (house: House, from: number): readonly string[] => lines(house).slice(from);
const alertOf = (house: House, number = 1): AlertState => house.alerts.get(alertId(number)) as AlertState;
const acknowledge = (house: House, lease: Lease, now: string, by = 'ann'): void =>
  house.record(
    alertId(1),
    decideAcknowledge(alertOf(house), { by, via: 'console', lease, note: null }, now).events,
    now,
  );
const quiet: Policy = { ...jobsPolicy, routes: [{ ...everything, escalation: null }] };

describe('once, and only then', () => {
  test('(1) one mail after the final failure, within the window', () => {
    const house = createHouse(quiet);
    house.take([failure()], at(182));
    house.waitUntil(at(196));
    expect(lines(house)).toEqual([]);
    house.waitUntil(at(197));
    expect(lines(house)).toEqual([
      'email: apple/refresh_catalog/songs failed | apple/refresh_catalog/songs failed: HTTP 503 from the source.',
    ]);
  });

  test('(2) the same outcome read again an hour later is nothing', () => {
    const house = createHouse(quiet);
    const signal = failure();
    house.take([signal], at(182));
    house.waitUntil(at(240));
    house.take([{ ...signal, observedAt: at(242), runContext: null }], at(242));
    house.waitUntil(at(600));
    expect(house.sent).toHaveLength(1);
  });

  test('(3) set back by hand and failed for good again: told in the next digest, as "again"', () => {
    const house = createHouse(quiet);
    house.take([failure()], at(182));
    house.waitUntil(at(240));
    house.take([failure({ failedAt: at(250) })], at(250));
    house.waitUntil(at(300));
    expect(fresh(house, 1)).toEqual([
      'email: Re: apple/refresh_catalog/songs failed | apple/refresh_catalog/songs failed again: HTTP 503 from the source. 2 failures since Mon 2 Mar 03:02 UTC.',
    ]);
  });

  test('(4) without news there is no digest to send', () => {
    const house = createHouse(quiet);
    house.take([failure()], at(182));
    house.waitUntil(at(monday(1)));
    expect(house.sent).toHaveLength(1);
  });

  test.for([
    ['by type', { ...quiet, rules: [{ name: 'r', match: {}, groupBy: ['source', 'jobType'] as const }] }, 3],
    ['by target', quiet, 40],
  ] as const)(
    '(5) 40 jobs of 3 types, grouped %s, are one mail with three items; every job is named or counted',
    ([, policy, keys]) => {
      const house = createHouse(policy);
      const types = [
        ['refresh_catalog', 20, 'HTTP 503 from the source'],
        ['import_charts', 15, 'connection refused'],
        ['make_covers', 5, 'no space left on device'],
      ] as const;
      const jobs = types.flatMap(([jobType, count, error]) =>
        Array.from({ length: count }, (_, index) =>
          failure({ jobType, targetId: `target ${index}`, jobId: `${jobType} ${index}`, error: `${error} (${index})` }),
        ),
      );
      house.take(jobs, at(190));
      house.waitUntil(at(300));
      expect(house.openKeys()).toHaveLength(keys);
      expect(house.sent).toHaveLength(1);
      const message = house.sent[0]?.message;
      // Forty alerts are more than anybody reads one by one: they are told as one incident.
      const [subject, headline] =
        keys > 30
          ? [
              '40 apple jobs of 3 types failed: 3 causes',
              /^40 apple jobs of 3 types failed, Mon 2 Mar 03:02 UTC\. 20: HTTP 503 from the source \(\d+\); 15: connection refused \(\d+\); 5: no space/,
            ]
          : [
              '40 failures: apple/refresh_catalog (20), apple/import_charts (15) and apple/make_covers (5)',
              /^apple\/refresh_catalog failed.*: HTTP 503 from the source \(\d+\)\. Also in this message: 2 more problems\.$/,
            ];
      expect(message?.subject).toBe(subject);
      expect(message?.headline).toMatch(headline);
      expect(message?.items.map((item) => item.failures)).toEqual([20, 15, 5]);
      expect(message?.items.map((item) => item.causes.map((cause) => cause.jobs.length + cause.moreJobs))).toEqual([
        [20],
        [15],
        [5],
      ]);
      expect(message?.totals).toMatchObject({ failures: 40, alerts: keys });
    },
  );

  test('(5) a failure that a rule ignores is recorded as an outcome and told to nobody', () => {
    const house = createHouse({
      ...quiet,
      rules: [{ name: 'rules[0]', match: { jobType: ['refresh_*'] }, ignore: true }],
    });
    house.take([failure()], at(182));
    house.waitUntil(at(600));
    expect([house.sent.length, house.alerts.size, house.outcomes.size]).toEqual([0, 0, 1]);
  });
});

describe('chains', () => {
  const calm: Policy = { ...chainPolicy, routes: quiet.routes };

  test('(7, 8, 9) a Monday that fails, one that fails elsewhere, and one that is fine are one conversation', () => {
    const house = createHouse(calm);
    house.take([failsIn(0, songs, 5)], at(186));
    house.waitUntil(at(monday(1)));
    expect(lines(house)).toEqual([
      'email: apple/catalog: songs failed, rebuild_index did not run | songs failed: HTTP 503 from the source. rebuild_index did not run; last good run Mon 23 Feb 03:40 UTC.',
    ]);
    house.take([failsIn(1, rebuild, 40, { error: 'out of memory' })], at(monday(1) + 221));
    house.waitUntil(at(monday(2)));
    expect(fresh(house, 1)).toEqual([
      'email: Re: apple/catalog: songs failed, rebuild_index did not run | Still failing: rebuild_index failed: out of memory. Last good run Mon 23 Feb 03:40 UTC.',
    ]);
    acknowledge(house, { until: 'success' }, at(monday(2)));
    house.take(
      wholeRun.map((step, index) => success({ ...step, run: runOf(2), finishedAt: at(monday(2) + 190 + index) })),
      at(monday(2) + 200),
    );
    house.waitUntil(at(monday(3)));
    expect(fresh(house, 2)).toEqual([
      'email: Re: apple/catalog: songs failed, rebuild_index did not run | Resolved: apple/catalog works again after 14 days. 2 failures. Acknowledged by ann.',
    ]);
    expect(new Set(house.sent.map(({ message }) => message.threadId)).size).toBe(1);
  });

  test('(12) albums and songs fail 20 minutes apart: one alert, two mails, and the second says "also"', () => {
    const house = createHouse(calm);
    house.take([failsIn(0, songs, 5)], at(186));
    house.waitUntil(at(205));
    house.take([failsIn(0, albums, 25)], at(206));
    house.waitUntil(at(600));
    expect(house.alerts.size).toBe(1);
    expect(fresh(house, 1)).toEqual([
      'email: Re: apple/catalog: songs failed, rebuild_index did not run | albums also failed: HTTP 503 from the source. rebuild_index did not run; last good run Mon 23 Feb 03:40 UTC.',
    ]);
  });

  test('(12) both within the window are one mail', () => {
    const house = createHouse(calm);
    house.take([failsIn(0, songs, 5), failsIn(0, albums, 6)], at(187));
    house.waitUntil(at(600));
    expect(house.sent.map(({ message }) => message.subject)).toEqual([
      'apple/catalog: songs and albums failed, rebuild_index did not run',
    ]);
  });
});

describe('acknowledge, escalate', () => {
  test('(13) after 30 minutes the next level is told, with who was told before and when; after an acknowledgement nobody else', () => {
    const house = createHouse(jobsPolicy);
    house.take([failure()], at(182));
    house.waitUntil(at(226));
    expect(house.sent).toHaveLength(1);
    house.waitUntil(at(227));
    const second = house.sent[1];
    expect(second?.channel).toBe('pager');
    expect(second?.message.headline).toBe(
      'Not acknowledged for 30 min: apple/refresh_catalog/songs failed: HTTP 503 from the source.',
    );
    expect(second?.message.items[0]?.escalation?.toldBefore).toEqual([{ channel: 'email', at: at(197) }]);
    acknowledge(house, { until: 'success' }, at(228));
    house.waitUntil(at(monday(1)));
    expect(house.sent).toHaveLength(2);
  });

  test('(13) acknowledged in time, level 2 is not told', () => {
    const house = createHouse(jobsPolicy);
    house.take([failure()], at(182));
    house.waitUntil(at(200));
    acknowledge(house, { until: 'success' }, at(201));
    house.waitUntil(at(monday(1)));
    expect(house.sent.map(({ channel }) => channel)).toEqual(['email']);
  });

  test('(14) acknowledged until 09:00 and still failing: one message at 09:00, naming whose lease ended', () => {
    const house = createHouse(quiet);
    house.take([failure()], at(182));
    house.waitUntil(at(200));
    acknowledge(house, { until: 'time', at: at(540) }, at(201));
    house.waitUntil(at(539));
    expect(house.sent).toHaveLength(1);
    house.waitUntil(at(monday(1)));
    expect(house.sent).toHaveLength(2);
    expect(house.sent[1]?.message).toMatchObject({
      composedAt: at(540),
      headline:
        'Still failing, and the acknowledgement by ann has ended. apple/refresh_catalog/songs failed: HTTP 503 from the source.',
    });
  });

  test('(14) acknowledged until success: the resolution is told, and no more', () => {
    const house = createHouse(jobsPolicy);
    house.take([failure()], at(182));
    house.waitUntil(at(200));
    acknowledge(house, { until: 'success' }, at(201));
    house.take([failure({ failedAt: at(210), error: 'quite another cause' })], at(210));
    house.take([success({ finishedAt: at(300) })], at(300));
    house.waitUntil(at(monday(1)));
    expect(house.sent.map(({ message }) => message.headline)).toEqual([
      'apple/refresh_catalog/songs failed: HTTP 503 from the source.',
      'Resolved: apple/refresh_catalog/songs works again after 1 h 58 min. 2 failures. Acknowledged by ann.',
    ]);
  });

  test('(15) a new cause ends the lease "until the signature changes": told at once, naming both', () => {
    const house = createHouse(quiet);
    house.take([failure()], at(182));
    house.waitUntil(at(200));
    acknowledge(house, { until: 'signature-change' }, at(201));
    house.take([failure({ failedAt: at(210) })], at(210));
    house.waitUntil(at(300));
    expect(house.sent).toHaveLength(1);
    house.take([failure({ failedAt: at(301), error: 'KeyError: title' })], at(301));
    house.waitUntil(at(301));
    expect(house.sent[1]?.message.headline).toMatch(
      /^Fails for a new reason, so the acknowledgement by ann has ended\. apple\/refresh_catalog\/songs failed: /,
    );
  });
});

describe('recovery', () => {
  test('(19) failed and recovered within the window: one mail, one line, both times', () => {
    const house = createHouse(jobsPolicy);
    house.take([failure()], at(182));
    house.take([success()], at(188));
    house.waitUntil(at(monday(1)));
    expect(lines(house)).toEqual([
      'email: apple/refresh_catalog/songs failed and recovered | apple/refresh_catalog/songs failed at 03:02 and recovered at 03:07 UTC on Mon 2 Mar (5 min): HTTP 503 from the source.',
    ]);
  });

  test('(20) exactly those who were told of the failure are told of its end', () => {
    const night = {
      ...everything,
      name: 'night',
      match: { severity: ['critical' as const] },
      channels: ['phone'],
      escalation: null,
    };
    const house = createHouse({ ...jobsPolicy, routes: [everything, night] });
    house.take([failure()], at(182));
    house.waitUntil(at(228));
    expect(house.sent.map(({ channel }) => channel)).toEqual(['email', 'pager']);
    house.take([success({ finishedAt: at(300) })], at(300));
    house.waitUntil(at(monday(1)));
    expect(house.sent.slice(2).map(({ channel, message }) => [channel, message.items[0]?.kind])).toEqual([
      ['email', 'resolved'],
      ['pager', 'resolved'],
    ]);
  });

  test('(21) resolved and failed again: a new alert naming its predecessor, and the mail says which time it is', () => {
    const house = createHouse(quiet);
    for (let day = 0; day < 3; day += 1) {
      house.take([failure({ failedAt: at(day * 1_440 + 182) })], at(day * 1_440 + 182));
      house.waitUntil(at(day * 1_440 + 200));
      house.take([success({ finishedAt: at(day * 1_440 + 210) })], at(day * 1_440 + 210));
      house.waitUntil(at(day * 1_440 + 300));
    }
    expect(alertOf(house, 3).predecessor).toMatchObject({ alertId: alertId(2), recentCount: 2 });
    expect(house.sent[4]?.message).toMatchObject({
      headline: 'apple/refresh_catalog/songs failed again, third time this week: HTTP 503 from the source.',
      followUp: false,
    });
  });

  test('an alert closed by hand is not said to work again', () => {
    const house = createHouse(quiet);
    house.take([failure()], at(182));
    house.waitUntil(at(200));
    house.record(alertId(1), decideResolve(alertOf(house), { by: 'bob', note: null }, at(240)).events, at(240));
    house.waitUntil(at(600));
    expect(house.sent[1]?.message.headline).toBe(
      'Closed by bob: apple/refresh_catalog/songs, open for 58 min. 1 failure.',
    );
  });
});

test('(33) 2,000 failing jobs of three causes are one message of three items, composed the same every time', () => {
  const causes = ['connection refused', 'deadlock detected', 'out of memory'];
  const jobs = Array.from({ length: 2_000 }, (_, index) =>
    failure({
      targetId: `target ${index}`,
      jobId: `${index}`,
      error: causes[index % 3] ?? '',
      failedAt: at(182 + index / 1_000),
    }),
  );
  const messages = [jobs, jobs.toReversed()].map((signals) => {
    const house = createHouse(jobsPolicy);
    house.take(signals, at(190));
    house.waitUntil(at(206));
    expect(house.sent).toHaveLength(1);
    return house.sent[0]?.message;
  });
  expect(messages[0]?.items.map((item) => [item.alerts, item.causes[0]?.error])).toEqual([
    [667, causes[0]],
    [667, causes[1]],
    [666, causes[2]],
  ]);
  expect(messages[0]?.subject).toBe('2,000 apple/refresh_catalog jobs failed: 3 causes');
  expect(messages[0]?.items[0]).toMatchObject({ since: at(182), lastFailedAt: jobs[1_998]?.failedAt });
  expect(JSON.stringify(messages[1])).toBe(JSON.stringify(messages[0]));
  expect(JSON.stringify(messages[0]).length).toBeLessThan(100_000);
});
