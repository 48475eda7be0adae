import { describe, expect, it } from 'vitest';
import { judgeClocks, judgeHeartbeats, judgeVolume } from './judge-feed.ts';
import { judgeStuck } from './judge-stuck.ts';
import { minutesAgo, readAt, snapshot } from './snapshot.fixture.ts';

const stuckJobs = (count: number) =>
  judgeStuck({
    jobs: Array.from({ length: count }, (_, n) => snapshot({ id: `job-${n}`, heartbeatAt: minutesAgo(20 + n) })),
    readAt,
    rules: [],
    learned: new Map(),
    unchangedMs: () => 0,
    behindMs: 0,
  });

describe('heartbeats', () => {
  it('are one condition when all have stopped, dated by the first that was missed', () => {
    expect(judgeHeartbeats('jobs', 6, stuckJobs(6))).toMatchObject({
      kind: 'unhealthy',
      jobId: 'table:heartbeats',
      source: 'tocsin',
      jobType: 'watch_table',
      targetId: 'jobs',
      at: minutesAgo(20),
      failedAt: minutesAgo(10),
    });
  });

  it('are told one by one when one of them still beats, or when they are few', () => {
    expect(judgeHeartbeats('jobs', 7, stuckJobs(6))).toBeNull();
    expect(judgeHeartbeats('jobs', 4, stuckJobs(4))).toBeNull();
  });
});

describe('clocks', () => {
  it('are told with the larger difference', () => {
    expect(judgeClocks('jobs', { behindMs: 3_600_000, aheadMs: 0, sound: false }, readAt)?.words).toContain(
      'at least 1 h behind the database',
    );
    expect(judgeClocks('jobs', { behindMs: 0, aheadMs: 600_000, sound: false }, readAt)?.words).toContain(
      '10 min ahead of',
    );
    expect(judgeClocks('jobs', { behindMs: 0, aheadMs: 0, sound: true }, readAt)).toBeNull();
  });
});

describe('volume', () => {
  const hour = '2026-11-23T02:00:00.000Z';
  const verdict = (changes: number, days: readonly number[]) =>
    judgeVolume('jobs', { hour, changes }, days)?.words ?? null;

  it('is told when it is ten times less or more than on past days', () => {
    expect(verdict(10, [900, 1_000, 1_100, 950, 1_050])).toContain('saw 10 changes');
    expect(verdict(99, [1_000, 1_000, 1_000, 1_000, 1_000])).toContain('still being enqueued');
    expect(verdict(10_001, [1_000, 1_000, 1_000, 1_000, 1_000])).toContain('in a loop');
  });

  it('says nothing of usual hours, quiet tables and short memories', () => {
    expect(verdict(101, [1_000, 1_000, 1_000, 1_000, 1_000])).toBeNull();
    expect(verdict(0, [199, 150, 180, 120, 190])).toBeNull();
    expect(verdict(0, [1_000, 1_000, 1_000, 1_000])).toBeNull();
    expect(verdict(0, [1_000, 0, 0, 0, 1_000])).toBeNull();
  });
});
