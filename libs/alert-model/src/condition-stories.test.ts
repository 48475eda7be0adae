import { describe, expect, test } from 'vitest';
import {
  albums,
  at,
  begins,
  chainPolicy,
  ends,
  failure,
  jobsPolicy,
  monday,
  repairs,
  runOf,
  songs,
  success,
  wholeRun,
} from '../fixtures/builders.ts';
import { grouped } from '../fixtures/histories.ts';
import { createHouse } from '../fixtures/house.ts';
import type { House } from '../fixtures/house.ts';

/** What was sent since, as channel and headline. */
const sentSince = (house: House, count: number): readonly string[] =>
  house.sent.slice(count).map(({ channel, message }) => `${channel}: ${message.headline}`);
const onlyAlert = (house: House) => {
  expect(house.alerts.size).toBe(1);
  return [...house.alerts.values()][0];
};

describe('a job that is stuck', () => {
  test('and shows a sign of life is taken back, in the same conversation, for everybody who was told', () => {
    const house = createHouse(jobsPolicy);
    const stuck = begins();
    house.take([stuck], at(183));
    house.waitUntil(at(240));
    expect(sentSince(house, 0)).toEqual([
      'email: apple/refresh_catalog/songs is stuck: no heartbeat for 22 min; jobs of this type may be silent for 15 min (rules[0]).',
      'pager: Not acknowledged for 30 min: apple/refresh_catalog/songs is stuck: no heartbeat for 22 min; jobs of this type may be silent for 15 min (rules[0]).',
    ]);
    house.take([ends(stuck, { note: 'a sign of life at 04:01', endedAt: at(241) })], at(241));
    house.waitUntil(at(300));
    expect(sentSince(house, 2)).toEqual([
      'email: apple/refresh_catalog/songs is no longer stuck, after 59 min: a sign of life at 04:01.',
      'pager: apple/refresh_catalog/songs is no longer stuck, after 59 min: a sign of life at 04:01.',
    ]);
    expect(house.sent.map(({ message }) => message.threadId)).toEqual(
      Array.from({ length: 4 }, () => house.sent[0]?.message.threadId),
    );
    expect(house.openKeys()).toEqual([]);
  });

  test('whose end is heard of before its beginning is told once, as over', () => {
    const house = createHouse(jobsPolicy);
    const stuck = begins();
    house.take([ends(stuck, { note: 'it was picked up', endedAt: at(185) })], at(186));
    house.take([stuck], at(187));
    house.waitUntil(at(300));
    expect(sentSince(house, 0)).toEqual([
      'email: apple/refresh_catalog/songs was stuck from 03:02 to 03:05 UTC on Mon 2 Mar (3 min): it was picked up.',
    ]);
    expect(house.openKeys()).toEqual([]);
  });

  test('and put back into the queue by the janitor stays open until it succeeds; what was done is told', () => {
    const house = createHouse(jobsPolicy);
    const stuck = begins();
    house.take([stuck], at(183));
    house.waitUntil(at(199));
    house.take(
      [
        ends(stuck, { cause: 'ended', note: 'it was put back into the queue', endedAt: at(200) }),
        repairs(stuck, { reason: 'restart 1 of 3, in 1 min', actedAt: at(200) }),
      ],
      at(201),
    );
    house.waitUntil(at(217));
    expect(sentSince(house, 1)).toEqual([
      'email: apple/refresh_catalog/songs was requeued by the janitor, restart 1 of 3, in 1 min. The alert stays open.',
    ]);
    expect(house.sent[1]?.message.items[0]?.developments?.map(({ what, detail }) => [what, detail])).toEqual([
      ['requeued', 'restart 1 of 3, in 1 min'],
    ]);
    house.take([success({ finishedAt: at(218) })], at(218));
    house.waitUntil(at(240));
    expect(house.sent.at(-1)?.message.headline).toBe('Resolved: apple/refresh_catalog/songs works again after 36 min.');
  });
});

test('a job that was stuck and is then dead died once, and is not said to be dead again', () => {
  const house = createHouse(jobsPolicy);
  const stuck = begins();
  house.take([stuck], at(183));
  house.waitUntil(at(199));
  house.take([ends(stuck, { cause: 'ended', note: 'it ended as DEAD', endedAt: at(200) })], at(200));
  expect(onlyAlert(house)).toMatchObject({ state: 'notified', pending: {}, batches: {} });
  house.take([failure({ kind: 'dead', failedAt: at(200), error: 'the reaper gave it up' })], at(201));
  house.waitUntil(at(217));
  house.take([success({ finishedAt: at(218) })], at(218));
  house.waitUntil(at(240));
  expect(sentSince(house, 1)).toEqual([
    'email: apple/refresh_catalog/songs was stuck and is now dead: the reaper gave it up.',
    'email: Resolved: apple/refresh_catalog/songs works again after 36 min. 2 occurrences.',
  ]);
});

test('late, stuck and failed in one run are occurrences of one alert, whose severity only rises', () => {
  const house = createHouse(chainPolicy);
  const stalled = begins({ ...songs, run: runOf(0), kind: 'stalled', failedAt: at(200) });
  const late = begins({ ...songs, run: runOf(0), kind: 'deadline', jobId: 'run:catalog:1', failedAt: at(300) });
  const stuck = begins({ ...songs, run: runOf(0), failedAt: at(310) });
  house.take([stalled], at(201));
  house.take([ends(stalled, { endedAt: at(250) }), late], at(301));
  house.take([stuck], at(311));
  house.take(
    [ends(stuck, { cause: 'ended', endedAt: at(320) }), failure({ ...songs, run: runOf(0), failedAt: at(320) })],
    at(321),
  );
  house.waitUntil(at(400));
  // The first wait ended before anything else was wrong, so the alert of that hour is a story of its own.
  expect([...house.alerts.values()].map(({ occurrences, severity, state }) => [occurrences, severity, state])).toEqual([
    [1, 'warning', 'resolved'],
    [3, 'error', 'notified'],
  ]);
  house.take([ends(late, { cause: 'ended', note: 'a job of the run failed for good', endedAt: at(320) })], at(401));
  house.take(
    wholeRun.map((step, index) => success({ ...step, run: runOf(1), finishedAt: at(monday(1) + 190 + index) })),
    at(monday(1) + 200),
  );
  house.waitUntil(at(monday(1) + 300));
  expect(house.openKeys()).toEqual([]);
  expect(house.sent.at(-1)?.message.items[0]?.resolution?.reason).toBe('chain-run-green');
});

test('of two stuck jobs one goes on: told as such, and the alert stays open for the other', () => {
  const house = createHouse(grouped);
  const [one, other] = [begins({ ...songs }), begins({ ...albums, jobId: '2' })];
  house.take([one, other], at(183));
  house.waitUntil(at(199));
  house.take([ends(one, { note: 'a sign of life at 03:25', endedAt: at(205) })], at(205));
  house.waitUntil(at(225));
  expect(sentSince(house, 1)).toEqual([
    'email: apple/refresh_catalog: songs is no longer stuck: a sign of life at 03:25. The alert stays open.',
  ]);
  expect(onlyAlert(house)).toMatchObject({ state: 'notified', occurrences: 2 });
});
