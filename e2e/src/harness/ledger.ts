import { alertStream, digestStream, evolveAlert, evolveDigest } from '@tocsin/alert-model';
import type { AlertEvent, AlertState, DigestEvent, DigestState } from '@tocsin/alert-model';
import { readEvents, readModels, unaccountedOutcomes } from '@tocsin/event-store';
import type { GlobalCursor, ModelCursor, StoredEvent, StoredModel } from '@tocsin/event-store';
import type { Queryable } from '@tocsin/runtime';
import { expect } from 'vitest';
import { waitUntil } from './wait-until.ts';

/** What the provider took responsibility for, as often as it did: the oracle. */
export interface AcceptedByProvider {
  /** With or without angle brackets and domain. */
  readonly messageId: string;
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
  readonly events: number;
}

export interface BalanceOptions {
  /** Rows of `public.research_jobs` that have failed for good. Default: every row that is `dead`, or `failed` without attempts left. */
  readonly terminalRows?: string;
  /** Deliveries that their channel refused for good. Default 0. */
  readonly rejected?: number;
  /** Conditions (stuck, stalled …) that were told. Default 0. */
  readonly conditions?: number;
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
  readonly failures: number;
}

const pageMax = 5_000;
const pagesMax = 1_000;

/**
 * Compares what the provider got, what the job table holds and what Tocsin has written, and fails when they do not
 * agree: nothing lost, nothing told twice except after an attempt of unknown outcome, every outcome recorded once, every
 * occurrence in one digest, streams without gaps, read models equal to what their streams fold to.
 *
 * To be called when all is quiet. Meant for one route with one channel.
 */
export const expectBalance = async (
  queryable: Queryable,
  accepted: readonly AcceptedByProvider[],
  {
    terminalRows = `status = 'dead' or (status = 'failed' and attempts >= max_attempts)`,
    rejected = 0,
    conditions = 0,
  }: BalanceOptions = {},
): Promise<Balance> => {
  const failures = await expectEveryFailureRecordedOnce(queryable, terminalRows);
  const { events, states } = await expectReplayEqualsModels(queryable);
  const failuresDetected = events.filter(({ event }) => event.type === 'FailureDetected').length;
  expect(failuresDetected, 'events FailureDetected').toBe(failures + conditions);
  for (const state of states) {
    expect(state.pending, `news of ${state.key} that sits in no digest`).toEqual({});
    expect(state.batches, `news of ${state.key} that no channel has accepted`).toEqual({});
  }
  const told = await expectToldOnce(queryable, accepted, rejected);
  expect(told.failures, 'failures told').toBe(failures + conditions);
  await expectNothingLeftBehind(queryable);
  return {
    failures,
    deliveries: told.deliveries,
    acceptedByProvider: accepted.length,
    duplicates: told.duplicates,
    unknown: told.unknown,
    crashed: told.crashed,
    events: events.length,
  };
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

const expectToldOnce = async (queryable: Queryable, accepted: readonly AcceptedByProvider[], rejected: number) => {
  const { rows: all } = await queryable.query<DeliveryRow>(
    `select
       deliveries.id,
       deliveries.message_id,
       deliveries.channel,
       deliveries.state,
       deliveries.attempts,
       coalesce(array_agg(attempt.number order by attempt.number) filter (where attempt.id is not null), '{}') as numbers,
       coalesce(array_agg(attempt.outcome order by attempt.number) filter (where attempt.id is not null), '{}') as outcomes,
       count(*) filter (where attempt.outcome = 'unknown' and attempt.reason = 'crashed')::integer as crashed,
       case deliveries.purpose when 'window' then (deliveries.message -> 'totals' ->> 'failures')::integer else 0 end as failures
     from tocsin.deliveries
     left join tocsin.delivery_attempts as attempt on attempt.delivery_id = deliveries.id
     group by deliveries.id`,
  );
  // What a provider refused it does not have, and another delivery tells of it.
  const rows = all.filter(({ state }) => state !== 'rejected');
  expect(all.length - rows.length, 'deliveries refused for good').toBe(rejected);
  const copies = new Map<string, number>();
  for (const { messageId } of accepted) copies.set(localPart(messageId), (copies.get(localPart(messageId)) ?? 0) + 1);
  let unknown = 0;
  for (const row of rows) {
    const what = `delivery ${row.id} (${row.outcomes.join(', ')})`;
    const unknowns = row.outcomes.filter((outcome) => outcome === 'unknown').length;
    unknown += unknowns;
    expect(row.state, what).toBe('accepted');
    expect(row.numbers, what).toEqual(row.outcomes.map((_, index) => index + 1));
    expect(row.attempts, what).toBe(row.outcomes.length);
    expect(
      row.outcomes.filter((outcome) => outcome === 'attempting'),
      what,
    ).toEqual([]);
    expect(row.outcomes.at(-1), what).toBe('accepted');
    expect(
      row.outcomes.filter((outcome) => outcome === 'accepted'),
      what,
    ).toHaveLength(1);
    const received = copies.get(row.message_id) ?? 0;
    expect(received, `${what}: copies at the provider`).toBeGreaterThanOrEqual(1);
    expect(received, `${what}: copies at the provider`).toBeLessThanOrEqual(1 + unknowns);
  }
  const known = new Set(rows.map(({ message_id }) => message_id));
  expect(
    [...copies.keys()].filter((id) => !known.has(id)),
    'mails of no delivery',
  ).toEqual([]);
  return {
    deliveries: rows.length,
    unknown,
    crashed: rows.reduce((sum, { crashed }) => sum + crashed, 0),
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

/** `<abc@example.com>` → `abc` */
const localPart = (messageId: string): string => messageId.replace(/^<|>$/g, '').replace(/@[^@]*$/, '');
