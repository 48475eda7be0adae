import { heartbeats, quarantined } from '@tocsin/event-store';
import type { OutcomeRecord } from '@tocsin/event-store';
import { toPolicy } from '@tocsin/alert-service';
import type { Policy } from '@tocsin/alert-model';
import { customiseMapping, findMapping, inspectTable } from '@tocsin/job-sources';
import { TocsinError, createPool, describeDatabaseError } from '@tocsin/runtime';
import type { JobTableConfig, Queryable } from '@tocsin/runtime';
import type { OpenDatabase } from '../database/with-database.ts';
import { listed } from '../printing/lines.ts';
import { moment, utcTime } from '../printing/moment.ts';
import type { AlertExplanation, AlertFacts } from './alert-explanation.ts';
import { describeHeld } from './describe-held.ts';
import { explainAlert } from './explain-alert.ts';
import { explainMissingJob } from './explain-missing-job.ts';
import type { DetectorFacts } from './explain-missing-job.ts';
import { outcomesOfAsked, readAskedJob } from './find-job.ts';
import type { AskedJob } from './find-job.ts';
import { heartbeatStaleMs, loadAlertFacts } from './load-alert-facts.ts';
import { readConditionEnds } from './read-condition-ends.ts';
import type { ConditionState } from './read-condition-ends.ts';
import { readJobRow } from './read-job-row.ts';
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
  const policy = toPolicy(config);
  const ids = outcomes.map(({ id }) => id);
  const conditions = await readConditionEnds(pool, ids);
  const described = [];
  for (const outcome of outcomes) {
    const condition = conditions.get(outcome.id) ?? null;
    const what = await describeOutcome({ pool, outcome, condition, facts, policy, now });
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
    reasons: outcomes.length > 0 ? [] : await explainAbsence(database, job),
    alerts: facts.map(explainAlert),
  };
};

interface OutcomeFacts {
  readonly pool: Queryable;
  readonly outcome: OutcomeRecord;
  readonly condition: ConditionState | null;
  readonly facts: readonly AlertFacts[];
  readonly policy: Policy;
  readonly now: string;
}

const describeOutcome = async ({ pool, outcome, condition, facts, policy, now }: OutcomeFacts): Promise<string> => {
  const what = whatHappened(outcome, condition, now);
  switch (outcome.disposition) {
    case null:
      return `${what}: signalled ${moment(outcome.signalledAt, now)} and not dealt with yet. A notifier does that: npx tocsin notifier`;
    case 'ignored':
      return `${what}: not told, because ${whyIgnored(outcome, policy)}`;
    case 'held':
      return `${what}: ${await describeHeld(pool, outcome.id, policy)}`;
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
const whyIgnored = ({ kind }: OutcomeRecord, { rules }: Policy): string => {
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

/** Which messages told of this very outcome. */
const fateOf = (outcome: OutcomeRecord, { events, digests, deliveries, state }: AlertFacts): string => {
  const detected = events.find(({ event }) => event.type === 'FailureDetected' && event.data.outcomeId === outcome.id);
  if (detected === undefined) return 'its event is not in the log';
  const fates = state.routes.map(({ name }) => {
    const batched = events.find(
      ({ version, event }) =>
        version > detected.version &&
        event.type === 'AlertBatched' &&
        event.data.route === name &&
        event.data.purpose !== 'escalation',
    )?.event;
    if (batched?.type !== 'AlertBatched')
      return `on route ${name} it sits in no digest${state.state === 'acknowledged' ? ' while the alert is acknowledged' : ''}`;
    const { digestId } = batched.data;
    const accepted = deliveries.filter(
      ({ delivery }) => delivery.digestId === digestId && delivery.acceptedAt !== null,
    );
    if (accepted.length > 0)
      return `told on route ${name}: ${listed(accepted.map(({ delivery }) => `${delivery.channel} accepted it at ${utcTime(delivery.acceptedAt ?? '')} UTC`))}`;
    const digest = digests.find(({ id }) => id === digestId);
    return digest?.state === 'open'
      ? `on route ${name} it goes out at ${utcTime(digest.dueAt)} UTC`
      : `on route ${name} its digest is ${digest?.state ?? 'sealed'}, and no channel has accepted it`;
  });
  return fates.join('; ');
};

const explainAbsence = async (database: OpenDatabase, job: AskedJob): Promise<readonly string[]> => {
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
  const reasons: string[] = [];
  for (const table of tables) reasons.push(await absenceIn(database, table, job.jobId, detector));
  const found = reasons.filter((reason) => !reason.startsWith(nowhere));
  return ['No outcome of this job is recorded.', ...(found.length > 0 ? found : reasons)];
};

const nowhere = 'there is no job';

const absenceIn = async (
  database: OpenDatabase,
  table: JobTableConfig,
  jobId: string,
  detector: DetectorFacts,
): Promise<string> => {
  const preset = findMapping(table.adapter);
  if (preset === undefined)
    return `Table ${table.name} has the adapter ${table.adapter}, which this version does not know.`;
  const url = table.databaseUrl ?? database.connectionString;
  const other =
    url === database.connectionString
      ? undefined
      : createPool({ connectionString: url, max: 1, applicationName: 'tocsin-cli', onError: () => {} });
  const queryable = other ?? database.pool;
  try {
    const mapping = customiseMapping(preset, table);
    const { source, problems } = await inspectTable(queryable, mapping, table);
    if (source === null) return `Table ${table.name} cannot be read: ${problems.join(' ')}`;
    const row = await readJobRow(queryable, source, jobId);
    return row === null
      ? `${nowhere} with this id in ${table.table} (it may have been deleted before it was read).`
      : `${explainMissingJob(table, mapping, row, detector, toPolicy(database.config))}.`;
  } catch (error) {
    const why = error instanceof TocsinError ? error.message : describeDatabaseError(error, url, 'its database_url');
    return `Table ${table.name} could not be looked at: ${why}`;
  } finally {
    await other?.end();
  }
};
