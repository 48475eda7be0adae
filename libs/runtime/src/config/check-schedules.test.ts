import { describe, expect, test } from 'vitest';
import { loadText, problemsOfText } from './config-file.fixture.ts';

const chains = 'chains: [{ name: catalog, source: apple, steps: [{ job_type: refresh }], deadline: 2h }]\n';
const schedulesOf = (text: string) => loadText(`${chains}schedules: [${text}]`).schedules;
const problemsOf = (text: string) =>
  problemsOfText(`${chains}schedules: [${text}]`).map((line) => line.replace('schedules[0]', 's'));

describe('a schedule', () => {
  test('says which chain is due when, in which zone', () => {
    expect(
      schedulesOf(
        '{ name: weekly, source: apple, chain: catalog, cron: "0 3 * * MON", timezone: Europe/Berlin, grace: 2h }',
      ),
    ).toEqual([
      {
        name: 'weekly',
        table: 'research_jobs',
        source: 'apple',
        chain: 'catalog',
        cron: '0 3 * * MON',
        timeZone: 'Europe/Berlin',
        graceMs: 7_200_000,
      },
    ]);
  });

  test('or how long a job type may be without a success, in UTC and with half an hour of grace unless it says otherwise', () => {
    const jobs = 'jobs: [{ name: main, table: p.t }, { name: second, table: p.u }]\n';
    const config = loadText(
      `${jobs}schedules: [{ name: a, source: s, job_type: x, target_id: t, every: 14d }, { name: b, table: second, source: s, job_type: x, every: 1m, grace: 0 }]`,
    );
    expect(config.schedules).toEqual([
      {
        name: 'a',
        table: 'main',
        source: 's',
        jobType: 'x',
        targetId: 't',
        timeZone: 'UTC',
        everyMs: 14 * 86_400_000,
        graceMs: 1_800_000,
      },
      { name: 'b', table: 'second', source: 's', jobType: 'x', timeZone: 'UTC', everyMs: 60_000, graceMs: 0 },
    ]);
  });

  test('belongs to a chain that may have a deadline', () => {
    expect(loadText(chains).chains[0]?.deadlineMs).toBe(7_200_000);
    expect(problemsOfText('chains: [{ name: c, source: s, steps: [{ job_type: x }], deadline: 2 }]')).toEqual([
      'chains[0].deadline: must have a unit, such as 2s or 2m; got 2',
    ]);
  });
});

const due = 'every: 1d';
const work = 'name: a, source: apple, job_type: x';
const cron = 'write minute, hour, day of the month, month and day of the week, such as 30 3 * * 1';

describe('a schedule is refused', () => {
  test.each([
    [
      'an unknown key',
      `{ ${work}, ${due}, tz: UTC }`,
      ['s.tz: unknown key; valid: name, table, source, chain, job_type, target_id, cron, every, timezone, grace'],
    ],
    [
      'an unknown table',
      `{ ${work}, ${due}, table: resarch_jobs }`,
      ['s.table: there is no watched table "resarch_jobs" in jobs; did you mean "research_jobs"?'],
    ],
    [
      'an unknown chain',
      `{ name: a, source: apple, chain: catalogue, ${due} }`,
      ['s.chain: there is no chain "catalogue" of the source "apple"; did you mean "catalog"?'],
    ],
    [
      'the chain of another source',
      `{ name: a, source: spotify, chain: catalog, ${due} }`,
      ['s.chain: there is no chain "catalog" of the source "spotify"; none is declared'],
    ],
    [
      'chain and job_type',
      `{ ${work}, chain: catalog, ${due} }`,
      ['s.chain: stands beside job_type; keep one of the two'],
    ],
    [
      'neither chain nor job_type',
      `{ name: a, source: apple, ${due} }`,
      ['s: names neither chain nor job_type; add what must succeed'],
    ],
    [
      'a target of a chain',
      `{ name: a, source: apple, chain: catalog, target_id: t, ${due} }`,
      ['s.target_id: means nothing for a chain; drop it'],
    ],
    ['cron and every', `{ ${work}, cron: 0 3 * * *, every: 1d }`, ['s.cron: stands beside every; keep one of the two']],
    [
      'neither cron nor every',
      `{ ${work} }`,
      ['s: names neither cron nor every; add when it must succeed, such as cron: 0 3 * * 1 or every: 14d'],
    ],
    [
      'a time zone for every',
      `{ ${work}, every: 1d, timezone: UTC }`,
      ['s.timezone: means nothing for every; drop it'],
    ],
    [
      'an unknown time zone, but its right cron not',
      `{ ${work}, cron: 0 3 * * *, timezone: Europe/Berln }`,
      [
        's.timezone: must be the IANA name of a time zone, such as UTC, Europe/Berlin or America/New_York; got "Europe/Berln"',
      ],
    ],
    [
      'a cron of four fields',
      `{ ${work}, cron: 0 3 * * }`,
      [`s.cron: must have five fields, or six with the seconds first; ${cron}; got "0 3 * *"`],
    ],
    [
      'a day that does not exist',
      `{ ${work}, cron: 0 3 31 2 * }`,
      [`s.cron: is no cron expression (Invalid explicit day of month definition); ${cron}; got "0 3 31 2 *"`],
    ],
    [
      'a random hour',
      `{ ${work}, cron: 0 H * * * }`,
      ['s.cron: H stands for a random value; name a fixed one; got "0 H * * *"'],
    ],
    ['too short a time', `{ ${work}, every: 1s }`, ['s.every: must be at least 1m; got "1s"']],
    ['too much grace', `{ ${work}, ${due}, grace: 32d }`, ['s.grace: must be at most 31d; got "32d"']],
  ])('for %s', (_, text, problems) => {
    expect(problemsOf(text)).toEqual(problems);
  });

  test('for a name that is taken', () => {
    expect(problemsOfText(`schedules: [{ ${work}, ${due} }, { ${work}, ${due} }]`)).toEqual([
      'schedules[1].name: the name "a" is taken by schedules[0] already',
    ]);
  });
});
