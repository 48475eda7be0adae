import type { Rule } from '@tocsin/alert-model';
import { describe, expect, it } from 'vitest';
import { judgeStuck } from './judge-stuck.ts';
import type { StuckLook } from './judge-stuck.ts';
import { minutesAgo, readAt, snapshot } from './snapshot.fixture.ts';

const minuteMs = 60_000;

const look = (changes: Partial<StuckLook>): StuckLook => ({
  jobs: [],
  readAt,
  rules: [],
  learned: new Map(),
  unchangedMs: () => 0,
  behindMs: 0,
  ...changes,
});
const words = (changes: Partial<StuckLook>): readonly string[] =>
  judgeStuck(look(changes)).map(({ condition }) => condition.words);
const rule = (stuckAfter: NonNullable<Rule['stuckAfter']>, jobType?: string): Rule => ({
  name: 'rules[0]',
  match: jobType === undefined ? {} : { jobType: [jobType] },
  stuckAfter,
});
const documents = rule({ mode: 'fixed', heartbeatMs: 15 * minuteMs, updateMs: 5 * minuteMs }, 'process_document');

describe('a document job that beats every 30 s', () => {
  const job = snapshot({ jobType: 'process_document', heartbeatAt: minutesAgo(0.5), changedAt: minutesAgo(2) });

  it('is fine while it beats and moves', () => {
    expect(words({ jobs: [job], rules: [documents] })).toEqual([]);
  });

  it('is stuck when its heartbeats stop, and says for how long and what is allowed', () => {
    const silent = { ...job, heartbeatAt: minutesAgo(16), changedAt: minutesAgo(16) };
    expect(words({ jobs: [silent], rules: [documents] })).toEqual([
      'No heartbeat for 16 min; jobs of this type may be silent for 15 min (rules[0]).',
    ]);
  });

  it('is stuck when it beats but stands still', () => {
    expect(words({ jobs: [{ ...job, changedAt: minutesAgo(6) }], rules: [documents] })).toEqual([
      'It beats, but nothing about it has changed for 6 min; jobs of this type may stand still for 5 min (rules[0]).',
    ]);
  });

  it('is stuck at once when it beats but stands still, whatever the clock of its worker says', () => {
    const behind = { ...job, heartbeatAt: minutesAgo(60), changedAt: minutesAgo(66), startedAt: minutesAgo(90) };
    expect(
      judgeStuck(look({ jobs: [behind], rules: [documents], behindMs: 60 * minuteMs })).map(
        ({ confirmed }) => confirmed,
      ),
    ).toEqual([true]);
  });

  it('moves when it is started again, however old its last change', () => {
    const again = { ...job, startedAt: minutesAgo(1), changedAt: minutesAgo(300) };
    expect(words({ jobs: [again], rules: [documents] })).toEqual([]);
    expect(words({ jobs: [{ ...again, changedAt: null, startedAt: minutesAgo(6) }], rules: [documents] })).toHaveLength(
      1,
    );
  });

  it('says what it was at', () => {
    const silent = { ...job, heartbeatAt: minutesAgo(16), stage: 'text_extracted', progress: '40' };
    expect(judgeStuck(look({ jobs: [silent], rules: [documents] }))[0]?.condition.notes).toEqual([
      'It was at text_extracted, 40 %.',
    ]);
  });
});

describe('limits learned from history', () => {
  const learned = (samples: number, p99Ms: number) => new Map([['apple\nimport', { samples, p99Ms }]]);

  it('allows three times what 99 % of the runs took', () => {
    const job = snapshot({ startedAt: minutesAgo(40), changedAt: minutesAgo(40) });
    expect(words({ jobs: [job], learned: learned(214, 10 * minuteMs) })).toEqual([
      'No sign of life for 40 min; of 214 earlier runs 99 % took at most 10 min, so 30 min are allowed (default, auto).',
    ]);
    expect(words({ jobs: [job], learned: learned(214, 14 * minuteMs) })).toEqual([]);
  });

  it('never allows less than the floor, however short the runs were', () => {
    const five = snapshot({ startedAt: minutesAgo(14), changedAt: minutesAgo(14) });
    expect(words({ jobs: [five], learned: learned(500, 5_000) })).toEqual([]);
    const late = snapshot({ startedAt: minutesAgo(16), changedAt: minutesAgo(16) });
    expect(words({ jobs: [late], learned: learned(500, 5_000) })).toHaveLength(1);
  });

  it('lets a five-hour job and a five-second job live side by side', () => {
    const learnedBoth = new Map([
      ['apple\nlong', { samples: 30, p99Ms: 5 * 60 * minuteMs }],
      ['apple\nshort', { samples: 900, p99Ms: 5_000 }],
    ]);
    const jobs = ['long', 'short'].map((jobType) =>
      snapshot({ id: jobType, jobType, startedAt: minutesAgo(300), changedAt: minutesAgo(300) }),
    );
    expect(judgeStuck(look({ jobs, learned: learnedBoth })).map(({ job }) => job.id)).toEqual(['short']);
  });

  it('waits a day where too little is known', () => {
    const job = snapshot({ startedAt: minutesAgo(23 * 60), changedAt: minutesAgo(23 * 60) });
    expect(words({ jobs: [job], learned: learned(19, 1_000) })).toEqual([]);
    const older = snapshot({ startedAt: minutesAgo(25 * 60), changedAt: minutesAgo(25 * 60) });
    expect(words({ jobs: [older], learned: learned(19, 1_000) })[0]).toContain('too few earlier runs');
  });

  it('goes by heartbeats where there are some: fifteen minutes', () => {
    expect(words({ jobs: [snapshot({ heartbeatAt: minutesAgo(14) })] })).toEqual([]);
    expect(words({ jobs: [snapshot({ heartbeatAt: minutesAgo(16) })] })).toHaveLength(1);
  });

  it('counts a change as a sign of life where there are no heartbeats', () => {
    const job = snapshot({ startedAt: minutesAgo(300), changedAt: minutesAgo(1) });
    expect(words({ jobs: [job], learned: learned(100, 1_000) })).toEqual([]);
  });
});

describe('what a rule says', () => {
  it('is off where it says off', () => {
    expect(words({ jobs: [snapshot({ heartbeatAt: minutesAgo(600) })], rules: [rule({ mode: 'off' })] })).toEqual([]);
  });

  it('holds for jobs without heartbeats by their last change', () => {
    const session = rule({ mode: 'fixed', heartbeatMs: 30 * minuteMs, updateMs: null });
    expect(
      words({ jobs: [snapshot({ changedAt: minutesAgo(29), startedAt: minutesAgo(200) })], rules: [session] }),
    ).toEqual([]);
    expect(
      words({ jobs: [snapshot({ changedAt: minutesAgo(31), startedAt: minutesAgo(200) })], rules: [session] }),
    ).toEqual(['No sign of life for 31 min; jobs of this type may be silent for 30 min (rules[0]).']);
  });
});

describe('clocks that are wrong', () => {
  const beats = rule({ mode: 'fixed', heartbeatMs: 15 * minuteMs, updateMs: null });

  it('takes off what a worker is known to be behind', () => {
    const job = snapshot({ heartbeatAt: minutesAgo(61) });
    expect(words({ jobs: [job], rules: [beats], behindMs: 60 * minuteMs })).toEqual([]);
    expect(words({ jobs: [job], rules: [beats] })).toHaveLength(1);
  });

  it('believes its own eyes when a heartbeat lies in the future', () => {
    const job = snapshot({ heartbeatAt: minutesAgo(-60) });
    expect(words({ jobs: [job], rules: [beats], unchangedMs: () => 14 * minuteMs })).toEqual([]);
    expect(words({ jobs: [job], rules: [beats], unchangedMs: () => 16 * minuteMs })).toHaveLength(1);
  });

  it('is confirmed only after it was silent before our eyes, too', () => {
    const job = snapshot({ heartbeatAt: minutesAgo(20) });
    const confirmed = (unchangedMs: number) =>
      judgeStuck(look({ jobs: [job], rules: [beats], unchangedMs: () => unchangedMs }))[0]?.confirmed;
    expect([confirmed(0), confirmed(14_999), confirmed(15_000)]).toEqual([false, false, true]);
  });
});

it('dates the condition when the silence became too long, and identifies it by the last sign of life', () => {
  const job = snapshot({ heartbeatAt: minutesAgo(20) });
  expect(judgeStuck(look({ jobs: [job] }))[0]?.condition).toMatchObject({
    kind: 'stuck',
    jobId: 'job-1',
    at: minutesAgo(20),
    failedAt: minutesAgo(5),
    attempts: 1,
    maxAttempts: 3,
  });
});
