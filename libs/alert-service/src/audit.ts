import type { AuditCounts } from '@tocsin/event-store';
import type { ServiceContext } from './service-context.ts';

/** How long a clock may be past its time before nobody can have meant it, in milliseconds. */
export const actionGraceMs = 300_000;
/** How long past the end of its time an attempt may be without an outcome, in milliseconds. */
export const attemptGraceMs = 60_000;
/** How long a failure that was announced may wait for a decision, in milliseconds. */
export const unaccountedGraceMs = 120_000;
/** How far behind the detector's reading of a table may be, in milliseconds. */
export const cursorLagMaxMs = 300_000;

/** What is looked at; also the label of a metric. */
export const auditChecks = [
  'overdue-alerts',
  'stale-attempts',
  'unaccounted-failures',
  'overdue-silences',
  'untold-alerts',
  'parked-channels',
  'detector',
  'unread-tables',
] as const;
export type AuditCheck = (typeof auditChecks)[number];

/** Something that is not as promised. */
export interface AuditProblem {
  readonly check: AuditCheck;
  readonly count: number;
  /** What it means, for people. */
  readonly words: string;
}

/** What one look over everything came to. */
export interface Audit {
  readonly clean: boolean;
  readonly problems: readonly AuditProblem[];
  readonly counts: AuditCounts;
}

/** The newest sign of life of the detector: how old it is, and what its tables say of themselves. */
export interface DetectorBeat {
  readonly ageMs: number;
  readonly data: Readonly<Record<string, unknown>>;
}

/**
 * Looks whether everything is on its way: every open alert has a next action that is not overdue, no attempt is without an
 * outcome for long, every announced failure has been decided on, every silence ends. Reads only, from indexes, so many
 * statements as lines below; nothing is repaired here, that is the work of the sweep.
 */
export const audit = (context: Pick<ServiceContext, 'store' | 'settings'>): Promise<Audit> =>
  context.store.read(async (session) => {
    const { attemptTimeoutMs, abandonedAfterMs, staleAfterMs } = context.settings;
    const counts = await session.audit({
      actionGraceMs,
      attemptGraceMs: attemptTimeoutMs + abandonedAfterMs + attemptGraceMs,
    });
    const detector = (await session.newestBeats()).get('detector') ?? null;
    const problems = judgeAudit(counts, { detector, staleAfterMs });
    return { clean: problems.length === 0, problems, counts };
  });

/**
 * Judges what was counted. What lies in quarantine is no problem of its own: an alert tells of it, and it stays where it is.
 * Pure.
 */
export const judgeAudit = (
  counts: AuditCounts,
  facts: { readonly detector: DetectorBeat | null; readonly staleAfterMs: number },
): readonly AuditProblem[] => {
  const { overdueAlerts, staleAttempts, unaccounted, oldestUnaccountedMs, overdueSilences, untold, parkedChannels } =
    counts;
  const waitedMs = oldestUnaccountedMs ?? 0;
  const unread = facts.detector === null ? [] : unreadTables(facts.detector.data);
  const problems: readonly AuditProblem[] = [
    {
      check: 'overdue-alerts',
      count: overdueAlerts,
      words: `${overdueAlerts} open alert(s) whose next action is overdue by more than ${minutes(actionGraceMs)}`,
    },
    {
      check: 'stale-attempts',
      count: staleAttempts,
      words: `${staleAttempts} attempt(s) to send without an outcome long after their time`,
    },
    {
      check: 'unaccounted-failures',
      count: waitedMs > unaccountedGraceMs ? unaccounted : 0,
      words: `${unaccounted} failure(s) announced and not decided on, the oldest for ${minutes(waitedMs)}`,
    },
    {
      check: 'overdue-silences',
      count: overdueSilences,
      words: `${overdueSilences} silence(s) whose start or end was not carried out`,
    },
    {
      check: 'untold-alerts',
      count: untold,
      words: `${untold} message(s) of open alerts that no channel took`,
    },
    {
      check: 'parked-channels',
      count: parkedChannels.length,
      words: `the provider refuses ${parkedChannels.join(', ')}`,
    },
    {
      check: 'detector',
      count: facts.detector !== null && facts.detector.ageMs > facts.staleAfterMs ? 1 : 0,
      words: `no sign of life of a detector for ${minutes(facts.detector?.ageMs ?? 0)}`,
    },
    {
      check: 'unread-tables',
      count: unread.length,
      words: `the detector does not get on with ${unread.join(', ')}`,
    },
  ];
  return problems.filter(({ count }) => count > 0);
};

/** Names of watched tables that the detector says it cannot read, or reads far behind. */
const unreadTables = (data: Readonly<Record<string, unknown>>): readonly string[] => {
  const { tables } = data;
  if (!Array.isArray(tables)) return [];
  return tables.flatMap((entry: unknown) => {
    if (typeof entry !== 'object' || entry === null) return [];
    const { table, problem, lagMs } = entry as Readonly<Record<string, unknown>>;
    const isBehind = typeof lagMs === 'number' && lagMs > cursorLagMaxMs;
    return typeof table === 'string' && ((typeof problem === 'string' && problem !== '') || isBehind) ? [table] : [];
  });
};

const minutes = (ms: number): string =>
  ms < 120_000 ? `${Math.round(ms / 1_000)} s` : `${Math.round(ms / 60_000)} min`;
