import type { AuditCounts } from '@tocsin/event-store';
import { describe, expect, test } from 'vitest';
import { auditChecks, cursorLagMaxMs, judgeAudit, unaccountedGraceMs } from './audit.ts';

const clean: AuditCounts = {
  overdueAlerts: 0,
  staleAttempts: 0,
  unaccounted: 0,
  oldestUnaccountedMs: null,
  overdueSilences: 0,
  quarantined: 0,
  untold: 0,
  parkedChannels: [],
};
const beat = (over: { ageMs?: number; data?: Readonly<Record<string, unknown>> } = {}) => ({
  ageMs: 1_000,
  data: {},
  ...over,
});
const found = (counts: Partial<AuditCounts>, detector: ReturnType<typeof beat> | null = beat()) =>
  judgeAudit({ ...clean, ...counts }, { detector, staleAfterMs: 60_000 });

describe('the audit', () => {
  test('is clean where nothing is overdue, and for what has an alert of its own', () => {
    expect(found({})).toEqual([]);
    expect(found({}, null)).toEqual([]);
    expect(found({ quarantined: 5 })).toEqual([]);
    expect(found({ unaccounted: 500, oldestUnaccountedMs: unaccountedGraceMs })).toEqual([]);
  });

  test('says all it finds, in words', () => {
    const problems = found(
      {
        overdueAlerts: 3,
        staleAttempts: 2,
        unaccounted: 7,
        oldestUnaccountedMs: unaccountedGraceMs + 1,
        overdueSilences: 1,
        untold: 4,
        parkedChannels: ['email', 'slack'],
      },
      beat({
        ageMs: 61_000,
        data: {
          tables: [
            { table: 'jobs', problem: 'away' },
            { table: 'fine', problem: null },
          ],
        },
      }),
    );
    expect(problems.map(({ check }) => check)).toEqual(auditChecks);
    expect(problems.map(({ words }) => words)).toEqual([
      '3 open alert(s) whose next action is overdue by more than 5 min',
      '2 attempt(s) to send without an outcome long after their time',
      '7 failure(s) announced and not decided on, the oldest for 2 min',
      '1 silence(s) whose start or end was not carried out',
      '4 message(s) of open alerts that no channel took',
      'the provider refuses email, slack',
      'no sign of life of a detector for 61 s',
      'the detector does not get on with jobs',
    ]);
  });

  test('finds a table that is read far behind, and is not led astray by what it does not know', () => {
    const of = (tables: unknown) => found({}, beat({ data: { tables } })).map(({ count }) => count);
    expect(
      of([
        { table: 'jobs', lagMs: cursorLagMaxMs + 1 },
        { table: 'other', lagMs: cursorLagMaxMs },
      ]),
    ).toEqual([1]);
    expect(of('nothing')).toEqual([]);
    expect(of([null, 5, { problem: 'nameless' }])).toEqual([]);
  });
});
