import { alertModelVersion, classifyFailure, evolveAlert } from '@tocsin/alert-model';
import type { FailureSignal, OutcomeId, Policy } from '@tocsin/alert-model';
import { toPolicy } from '@tocsin/alert-service';
import { createPostgresStore, heartbeats, quarantined } from '@tocsin/event-store';
import type { OutcomeRecord } from '@tocsin/event-store';
import type { Queryable } from '@tocsin/runtime';
import type { OpenDatabase } from '../database/with-database.ts';
import { listed } from '../printing/lines.ts';
import { moment, utcTime } from '../printing/moment.ts';
import type { AlertExplanation, AlertFacts } from './alert-explanation.ts';
import { classifiedWords } from './classified-words.ts';
import type { PolicyFacts } from './classified-words.ts';
import { describeHeld } from './describe-held.ts';
import { explainAlert } from './explain-alert.ts';
import { explainMissingJob } from './explain-missing-job.ts';
import type { DetectorFacts } from './explain-missing-job.ts';
import { fateOf } from './fate-of.ts';
import { outcomesOfAsked, readAskedJob } from './find-job.ts';
import type { AskedJob } from './find-job.ts';
import { heartbeatStaleMs, loadAlertFacts } from './load-alert-facts.ts';
import { lookAtRow } from './look-at-row.ts';
import { readConditionEnds } from './read-condition-ends.ts';
import type { ConditionState } from './read-condition-ends.ts';
import { readRepairs, repairWords } from './read-repairs.ts';
import type { RepairRecord } from './read-repairs.ts';

/** Alerts of one job explained in full. */
const alertsMax = 3;
/** Entries of the quarantine that are looked through. */
const quarantineMax = 1_000;

/** Why a job was told or not. */
export interface JobExplanation {
  readonly job: string;
  readonly outcomes: readonly (OutcomeRecord & {
    readonly what: string;
    /** Of a condition: whether and how it ended. */
    readonly condition: Omit<ConditionState, 'id'> | null;
  })[];
  /** What the janitor did about it. */
  readonly repairs: readonly (RepairRecord & { readonly what: string })[];
  /** Why there is no outcome, or what else the job's row says. */
  readonly reasons: readonly string[];
  readonly alerts: readonly AlertExplanation[];
}

/** @param asked a job's id, or `TABLE:ID` */
export const explainJob = async (database: OpenDatabase, asked: string): Promise<JobExplanation> => {
  const { pool, config, now } = database;
  const { job, outcomes } = await outcomesOfAsked(pool, readAskedJob(asked, config.jobs));
  const alertIds = [...new Set(outcomes.flatMap(({ alertId }) => alertId ?? []))];
  const facts: AlertFacts[] = [];
  for (const id of alertIds.slice(0, alertsMax)) facts.push(await loadAlertFacts(database, id));
  const policyFacts = await readPolicyFacts(database);
  const signals = await readSignals(database, outcomes, job.jobId);
  const ids = outcomes.map(({ id }) => id);
  const conditions = await readConditionEnds(pool, ids);
  const described = [];
  for (const outcome of outcomes) {
    const condition = conditions.get(outcome.id) ?? null;
    const signal = signals.get(outcome.id) ?? null;
    const what = await describeOutcome({ pool, outcome, condition, facts, signal, policyFacts, now });
    described.push({
      ...outcome,
      what,
      condition:
        condition === null ? null : { endedAt: condition.endedAt, cause: condition.cause, note: condition.note },
    });
  }
  return {
    job: job.table === undefined ? job.jobId : `${job.table}:${job.jobId}`,
    outcomes: described,
    repairs: (await readRepairs(pool, ids)).map((repair) => ({
      ...repair,
      what: `${moment(repair.intendedAt, now)}: ${repairWords(repair)}`,
    })),
    reasons: outcomes.length > 0 ? [] : await explainAbsence(database, job, policyFacts),
    alerts: facts.map(explainAlert),
  };
};

interface OutcomeFacts {
  readonly pool: Queryable;
  readonly outcome: OutcomeRecord;
  readonly condition: ConditionState | null;
  readonly facts: readonly AlertFacts[];
  /** The failure as its row says it now; null when the row says another one, or is gone. */
  readonly signal: FailureSignal | null;
  readonly policyFacts: PolicyFacts;
  readonly now: string;
}

/** Silences that are on, and what the configuration says today. */
const readPolicyFacts = async ({ pool, config, now }: OpenDatabase): Promise<PolicyFacts> => {
  const store = createPostgresStore({ pool, foldAlert: evolveAlert, modelVersion: alertModelVersion });
  return { policy: toPolicy(config), silences: await store.read((session) => session.activeSilences()), now };
};

/** Outcomes that no alert has are read from their row again, which says what rules make of them. */
const readSignals = async (
  database: OpenDatabase,
  outcomes: readonly OutcomeRecord[],
  jobId: string,
): Promise<ReadonlyMap<OutcomeId, FailureSignal>> => {
  const asked = outcomes.filter(({ disposition }) => disposition === null || disposition === 'ignored');
  const tables = new Set(asked.map(({ table }) => table));
  const found = new Map<OutcomeId, FailureSignal>();
  for (const table of database.config.jobs.filter(({ name }) => tables.has(name))) {
    const look = await lookAtRow(database, table, jobId);
    if ('row' in look && look.row?.outcome != null) found.set(look.row.outcome.outcomeId, look.row.outcome);
  }
  return found;
};

const describeOutcome = async (outcomeFacts: OutcomeFacts): Promise<string> => {
  const { pool, outcome, condition, facts, signal, policyFacts, now } = outcomeFacts;
  const what = whatHappened(outcome, condition, now);
  switch (outcome.disposition) {
    case null:
      return `${what}: signalled ${moment(outcome.signalledAt, now)} and not dealt with yet. A notifier does that: npx tocsin notifier${signal === null ? '' : `. Then ${classifiedWords(signal, policyFacts)}`}`;
    case 'ignored':
      return `${what}: not told, because ${whyIgnored(outcome, policyFacts.policy, signal)}`;
    case 'held':
      return `${what}: ${await describeHeld(pool, outcome.id, policyFacts.policy, now)}`;
    case 'quarantined': {
      const kept = (await quarantined(pool, quarantineMax)).find(({ payload }) =>
        JSON.stringify(payload).includes(outcome.id),
      );
      return `${what}: its signal could not be read and lies in quarantine${kept === undefined ? '' : `: ${kept.reason}`}`;
    }
    case 'recorded': {
      const alert = facts.find(({ state }) => state.id === outcome.alertId);
      return `${what}: recorded in alert ${outcome.alertId ?? ''}${alert === undefined ? '' : `; ${fateOf(outcome, alert)}`}${sentenceOf(outcome, condition, alert)}`;
    }
    default:
      return outcome.disposition satisfies never;
  }
};

const whatHappened = ({ kind, failedAt }: OutcomeRecord, condition: ConditionState | null, now: string): string => {
  if (condition === null) return `${kind} at ${moment(failedAt, now)}`;
  const { endedAt, note, cause } = condition;
  return endedAt === null
    ? `${kind} since ${moment(failedAt, now)}, and still so`
    : `${kind} from ${utcTime(failedAt)} UTC until ${moment(endedAt, now)} (${note ?? cause ?? 'it ended'})`;
};

/** What may have kept an outcome from being told. The reason itself is in the notifier's log. */
const whyIgnored = ({ kind }: OutcomeRecord, policy: Policy, signal: FailureSignal | null): string => {
  const { rules } = policy;
  const classified = signal === null ? null : classifyFailure(signal, policy);
  if (classified !== null && 'ignoredBy' in classified) return `${classified.ignoredBy} ignores it`;
  const reasons = ['a rule with "ignore: true" matched when it was recorded'];
  if (kind === 'partial') reasons.push('its failed parts were within what the rule allows (partial)');
  if (rules.some(({ threshold }) => threshold !== undefined))
    reasons.push('it was held below a threshold that was not reached in time');
  return reasons.join(', or ');
};

/** A condition says in its error by which limit it was judged. */
const sentenceOf = (
  outcome: OutcomeRecord,
  condition: ConditionState | null,
  alert: AlertFacts | undefined,
): string => {
  if (condition === null || alert === undefined) return '';
  const event = alert.events.find(
    ({ event: found }) => found.type === 'FailureDetected' && found.data.outcomeId === outcome.id,
  )?.event;
  const error = event?.type === 'FailureDetected' ? event.data.error : null;
  return error === null ? '' : `. ${error}`;
};

const explainAbsence = async (
  database: OpenDatabase,
  job: AskedJob,
  policyFacts: PolicyFacts,
): Promise<readonly string[]> => {
  const { pool, config } = database;
  const tables = config.jobs.filter(({ name }) => job.table === undefined || name === job.table);
  if (tables.length === 0)
    return [`No table of that name is watched. Watched are ${listed(config.jobs.map(({ name }) => name))}.`];
  const silences = (await heartbeats(pool))
    .filter(({ component }) => component === 'detector')
    .map(({ ageMs }) => ageMs);
  const detector: DetectorFacts = {
    silentMs: silences.length === 0 ? null : Math.min(...silences),
    staleMs: heartbeatStaleMs,
  };
  const found: string[] = [];
  const others: string[] = [];
  for (const table of tables) {
    const look = await lookAtRow(database, table, job.jobId);
    if ('problem' in look) found.push(look.problem);
    else if (look.row !== null)
      found.push(`${explainMissingJob(table, look.mapping, look.row, detector, policyFacts)}.`);
    else others.push(`there is no job with this id in ${table.table} (it may have been deleted before it was read).`);
  }
  return ['No outcome of this job is recorded.', ...(found.length > 0 ? found : others)];
};
