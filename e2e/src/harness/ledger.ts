import { alertStream, digestStream, evolveAlert, evolveDigest } from '@tocsin/alert-model';
import type { AlertEvent, AlertState, DigestEvent, DigestState } from '@tocsin/alert-model';
import { readEvents, readModels, unaccountedOutcomes } from '@tocsin/event-store';
import type { GlobalCursor, ModelCursor, StoredEvent, StoredModel } from '@tocsin/event-store';
import type { Queryable } from '@tocsin/runtime';
import { expect } from 'vitest';
import { waitUntil } from './wait-until.ts';

/** What the provider took responsibility for, as often as it did: the oracle. */
export interface AcceptedByProvider {
  /** With or without angle brackets and domain; of what has no Message-ID, the delivery's own id. */
  readonly messageId: string;
  /** Name of the channel it came through. Default: any, where there is one only. */
  readonly channel?: string;
}

/** The books, after they were found to be right. */
export interface Balance {
  /** Rows that failed for good. */
  readonly failures: number;
  /** Messages that were to be told. */
  readonly deliveries: number;
  readonly acceptedByProvider: number;
  /** Copies beyond the first, over all messages. */
  readonly duplicates: number;
  /** Attempts whose end nobody knows. */
  readonly unknown: number;
  /** Those of them whose process did not live to tell. */
  readonly crashed: number;
  /** Attempts whose process did not live to begin them: certainly not sent. */
  readonly neverBegun: number;
  readonly events: number;
}

export interface BalanceOptions {
  /** Rows of `public.research_jobs` that have failed for good. Default: every row that is `dead`, or `failed` without attempts left. */
  readonly terminalRows?: string;
  /** Deliveries that their channel refused for good. Default 0. */
  readonly rejected?: number;
  /** Conditions (stuck, stalled …) that were told. Default 0. */
  readonly conditions?: number;
  /** Failures that Tocsin made itself, which are told in a channel of their own (`canary`). Default 0. */
  readonly canaries?: number;
  /** Failures that were told once more because somebody asked for it. Default 0. */
  readonly byHand?: number;
  /** Channels on which each of the others was told. Default 1. */
  readonly channels?: number;
}

interface DeliveryRow {
  readonly id: string;
  readonly message_id: string;
  readonly channel: string;
  readonly state: string;
  readonly attempts: number;
  readonly numbers: readonly number[];
  readonly outcomes: readonly string[];
  readonly crashed: number;
  readonly never_begun: number;
  readonly failures: number;
}

const failedForGood = `status = 'dead' or (status = 'failed' and attempts >= max_attempts)`;
const pageMax = 5_000;
const pagesMax = 1_000;

/**
 * Compares what the provider got, what the job table holds and what Tocsin has written, and fails when they do not
 * agree: nothing lost, nothing told twice except after an attempt of unknown outcome, every outcome recorded once, every
 * occurrence in one digest, streams without gaps, read models equal to what their streams fold to.
 *
 * To be called when all is quiet. Meant for one route; what went through a
 * fallback counts once, as what was told, and what its first channel gave up is not looked at.
 */
export const expectBalance = async (
  queryable: Queryable,
  accepted: readonly AcceptedByProvider[],
  {
    terminalRows = failedForGood,
    rejected = 0,
    conditions = 0,
    canaries = 0,
    byHand = 0,
    channels = 1,
  }: BalanceOptions = {},
): Promise<Balance> => {
  const { failures, events } = await expectRecordsInOrder(queryable, { terminalRows, conditions, canaries });
  const told = await expectToldOnce(queryable, accepted, { rejected, canaries });
  expect(told.failures, 'failures told').toBe((failures + conditions) * channels + byHand);
  return {
    failures,
    deliveries: told.deliveries,
    acceptedByProvider: accepted.length,
    duplicates: told.duplicates,
    unknown: told.unknown,
    crashed: told.crashed,
    neverBegun: told.neverBegun,
    events: events.length,
  };
};

/** What Tocsin has written, after it was found to be right. */
export interface Records {
  /** Rows that failed for good. */
  readonly failures: number;
  readonly events: readonly StoredEvent[];
  /** Every alert. */
  readonly states: readonly AlertState[];
}

/**
 * Fails unless what the job table holds and what Tocsin has written agree: every outcome recorded once, no news left
 * behind, streams without gaps, read models equal to what their streams fold to, no dead letters, nothing in quarantine.
 * What providers got is not looked at.
 *
 * To be called when all is quiet.
 */
export const expectRecordsInOrder = async (
  queryable: Queryable,
  {
    terminalRows = failedForGood,
    conditions = 0,
    canaries = 0,
  }: Pick<BalanceOptions, 'terminalRows' | 'conditions' | 'canaries'> = {},
): Promise<Records> => {
  const failures = await expectEveryFailureRecordedOnce(queryable, terminalRows);
  const { events, states } = await expectReplayEqualsModels(queryable);
  const failuresDetected = events.filter(({ event }) => event.type === 'FailureDetected').length;
  expect(failuresDetected, 'events FailureDetected').toBe(failures + conditions + canaries);
  for (const state of states) {
    expect(state.pending, `news of ${state.key} that sits in no digest`).toEqual({});
    expect(state.batches, `news of ${state.key} that no channel has accepted`).toEqual({});
  }
  await expectNothingLeftBehind(queryable);
  return { failures, events, states };
};

const expectEveryFailureRecordedOnce = async (queryable: Queryable, terminalRows: string): Promise<number> => {
  const { rows } = await queryable.query<{ readonly id: string; readonly outcomes: number; readonly recorded: number }>(
    `select
       job.id::text,
       count(outcomes.id)::integer as outcomes,
       count(outcomes.id) filter (where outcomes.disposition = 'recorded' and outcomes.alert_id is not null)::integer as recorded
     from public.research_jobs as job
     left join tocsin.outcomes on outcomes.job_id = job.id::text and outcomes.subject is null
     where ${terminalRows}
     group by job.id`,
  );
  const wrong = rows.filter(({ outcomes, recorded }) => outcomes !== 1 || recorded !== 1);
  expect(wrong, 'rows failed for good without exactly one recorded outcome').toEqual([]);
  expect((await unaccountedOutcomes(queryable, 0)).count, 'unaccounted outcomes').toBe(0);
  return rows.length;
};

/** Folds every stream anew and compares with the read models, and looks for gaps on the way. */
const expectReplayEqualsModels = async (
  queryable: Queryable,
): Promise<{ readonly events: readonly StoredEvent[]; readonly states: readonly AlertState[] }> => {
  const events = await allEvents(queryable);
  const alerts = new Map<string, AlertState>();
  const digests = new Map<string, DigestState>();
  const versions = new Map<string, number>();
  const outcomes = new Set<string>();
  for (const { streamId, version, event } of events) {
    expect(version, `version in stream ${streamId}`).toBe((versions.get(streamId) ?? 0) + 1);
    versions.set(streamId, version);
    if (event.type === 'FailureDetected') {
      expect(outcomes.has(event.data.outcomeId), `outcome ${event.data.outcomeId} recorded before`).toBe(false);
      outcomes.add(event.data.outcomeId);
    }
    if (streamId.startsWith('digest'))
      digests.set(streamId, evolveDigest(digests.get(streamId) ?? null, event as DigestEvent));
    else alerts.set(streamId, evolveAlert(alerts.get(streamId) ?? null, event as AlertEvent));
  }
  const models = await allModels(queryable);
  for (const model of models) {
    if (model.kind === 'alert') expect(model.data, `alert ${model.id}`).toEqual(alerts.get(alertStream(model.id)));
    else expect(model.data, `digest ${model.id}`).toEqual(digests.get(digestStream(model.id)));
  }
  expect(models.length, 'read models').toBe(alerts.size + digests.size);
  return { events, states: [...alerts.values()] };
};

/** The log shows an event once every older transaction in the cluster has ended, so the newest ones are waited for. */
const allEvents = async (queryable: Queryable): Promise<readonly StoredEvent[]> => {
  const { rows } = await queryable.query<{ readonly count: number }>(
    'select count(*)::integer as count from tocsin.events',
  );
  const total = rows[0]?.count ?? 0;
  const events: StoredEvent[] = [];
  let cursor: GlobalCursor | null = null;
  await waitUntil(`all ${total} events to be readable`, async () => {
    const page = await readEvents(queryable, { after: cursor, limit: pageMax });
    events.push(...page.events);
    cursor = page.cursor;
    return events.length >= total;
  });
  return events;
};

const allModels = async (queryable: Queryable): Promise<readonly StoredModel[]> => {
  const models: StoredModel[] = [];
  let after: ModelCursor | null = null;
  for (let pages = 0; pages < pagesMax; pages += 1) {
    const page = await readModels(queryable, { after, limit: pageMax });
    models.push(...page.models);
    after = page.next;
    if (after === null) return models;
  }
  throw new Error(`There are more than ${pagesMax * pageMax} read models.`);
};

const expectToldOnce = async (
  queryable: Queryable,
  accepted: readonly AcceptedByProvider[],
  { rejected, canaries }: { readonly rejected: number; readonly canaries: number },
) => {
  const { rows: known } = await queryable.query<DeliveryRow>(
    `select
       deliveries.id,
       deliveries.message_id,
       deliveries.channel,
       deliveries.state,
       deliveries.attempts,
       coalesce(array_agg(attempt.number order by attempt.number) filter (where attempt.id is not null), '{}') as numbers,
       coalesce(array_agg(attempt.outcome order by attempt.number) filter (where attempt.id is not null), '{}') as outcomes,
       count(*) filter (where attempt.outcome = 'unknown' and attempt.reason = 'crashed')::integer as crashed,
       count(*) filter (where attempt.outcome = 'retry' and attempt.reason = 'crashed')::integer as never_begun,
      case when deliveries.purpose in ('window', 'urgent', 'storm') then (deliveries.message -> 'totals' ->> 'failures')::integer else 0 end as failures
     from tocsin.deliveries
     left join tocsin.delivery_attempts as attempt on attempt.delivery_id = deliveries.id
     group by deliveries.id`,
  );
  // Canaries end in files; nobody is told.
  const all = known.filter(({ channel }) => channel !== 'tocsin_canary');
  expect(known.length - all.length, 'messages of canaries').toBe(canaries);
  // What a provider refused it does not have, and another delivery tells of it.
  const rows = all.filter(({ state }) => state !== 'rejected' && state !== 'replaced');
  const refused = all.filter(({ state }) => state === 'rejected');
  expect(refused.length, 'deliveries refused for good').toBe(rejected);
  const copies = new Map<string, number>();
  for (const copy of accepted) copies.set(keyOf(copy), (copies.get(keyOf(copy)) ?? 0) + 1);
  const keysOf = ({ id, message_id: messageId, channel }: DeliveryRow): readonly string[] =>
    [undefined, channel].flatMap((name) =>
      [...new Set([id, messageId])].map((one) => keyOf({ messageId: one, channel: name })),
    );
  let unknown = 0;
  for (const row of rows) {
    const what = `delivery ${row.id} (${row.outcomes.join(', ')})`;
    const unknowns = row.outcomes.filter((outcome) => outcome === 'unknown').length;
    unknown += unknowns;
    expect(row.state, what).toBe('accepted');
    expect(row.numbers, what).toEqual(row.outcomes.map((_, index) => index + 1));
    expect(row.attempts, what).toBe(row.outcomes.length);
    expect(
      row.outcomes.filter((outcome) => outcome === 'attempting' || outcome === 'claimed'),
      what,
    ).toEqual([]);
    expect(row.outcomes.at(-1), what).toSatisfy(isAccepted);
    expect(row.outcomes.filter(isAccepted), what).toHaveLength(1);
    const received = keysOf(row).reduce((sum, key) => sum + (copies.get(key) ?? 0), 0);
    expect(received, `${what}: copies at the provider`).toBeGreaterThanOrEqual(1);
    expect(received, `${what}: copies at the provider`).toBeLessThanOrEqual(1 + unknowns);
  }
  const ours = new Set(all.flatMap(keysOf));
  expect(
    [...copies.keys()].filter((key) => !ours.has(key)),
    'mails of no delivery',
  ).toEqual([]);
  return {
    deliveries: rows.length,
    unknown,
    crashed: rows.reduce((sum, { crashed }) => sum + crashed, 0),
    neverBegun: rows.reduce((sum, { never_begun }) => sum + never_begun, 0),
    duplicates: accepted.length - copies.size,
    failures: rows.reduce((sum, { failures }) => sum + failures, 0),
  };
};

const expectNothingLeftBehind = async (queryable: Queryable): Promise<void> => {
  const { rows } = await queryable.query<{ readonly letters: number; readonly quarantined: number }>(
    `select
       (select count(*)::integer from pgboss.job where name = 'dead-letters') as letters,
       (select count(*)::integer from tocsin.quarantine) as quarantined`,
  );
  expect(rows, 'dead letters and quarantine').toEqual([{ letters: 0, quarantined: 0 }]);
};

const isAccepted = (outcome: string | undefined): boolean => outcome === 'accepted' || outcome === 'confirmed';

const keyOf = ({ messageId, channel = '' }: { readonly messageId: string; readonly channel?: string | undefined }) =>
  `${channel} ${localPart(messageId)}`;

/** `<abc@example.com>` → `abc` */
const localPart = (messageId: string): string => messageId.replace(/^<|>$/g, '').replace(/@[^@]*$/, '');
