import { randomUUID } from 'node:crypto';
import { alertModelVersion, alertStream, evolveAlert } from '@tocsin/alert-model';
import type { AlertId, AlertState } from '@tocsin/alert-model';
import { createTestDatabase } from '@tocsin/testing';
import { describe, expect, it } from 'vitest';
import {
  acknowledged,
  batched,
  digestOpened,
  longAfter,
  longAgo,
  newAlertId,
  newDelivery,
  newDigestId,
  newOutcomeId,
  opened,
  resolved,
  success,
  writeAlert,
  writeDigest,
} from '../contract/builders.ts';
import { silencedBy } from '../contract/silences-contract.ts';
import { forgetSuccesses } from '../postgres/forget-successes.ts';
import { createPostgresStore } from '../postgres/postgres-store.ts';
import { AmbiguousAlert, findAlert } from './find-alert.ts';
import { heartbeats } from './heartbeats.ts';
import { ledgerOfAlert } from './ledger-of-alert.ts';
import { listAlerts } from './list-alerts.ts';
import { outcomesOfJob } from './outcomes-of-job.ts';
import { quarantined } from './quarantined.ts';
import { readModels } from './read-models.ts';
import type { ModelCursor, StoredModel } from './read-models.ts';
import { streamEvents } from './stream-events.ts';
import { unaccountedOutcomes } from './unaccounted-outcomes.ts';

const { pool } = await createTestDatabase();
const store = createPostgresStore({ pool, foldAlert: evolveAlert, modelVersion: alertModelVersion });
const resolvedAt = '2026-01-06T00:00:00.000000Z';

describe('listAlerts', () => {
  it('lists the latest failure first, page by page', async () => {
    const source = randomUUID();
    const states = await store.transaction('write', async (session) => {
      const written = [];
      for (const second of ['01', '03', '02', '02']) {
        const failedAt = `2026-01-05T03:00:${second}.000001Z`;
        written.push(await writeAlert(session, opened({ source, failedAt })));
      }
      return written;
    });
    const latestFirst = states
      .toSorted((a, b) => (`${a.lastFailedAt}${a.id}` < `${b.lastFailedAt}${b.id}` ? 1 : -1))
      .map(({ id }) => id);
    const first = await listAlerts(pool, { source, limit: 2 });
    const last = first.at(-1);
    const second = await listAlerts(pool, { source, limit: 2, ...(last === undefined ? {} : { before: last }) });
    expect([...first, ...second].map(({ id }) => id)).toEqual(latestFirst);
  });

  it('shows the columns of an alert, and narrows by state and key', async () => {
    const predecessor = { alertId: newAlertId(), resolvedAt: longAgo, recentCount: 1 };
    const first = opened();
    const opening =
      first.data.opening === null
        ? null
        : { ...first.data.opening, predecessor, chain: { name: 'apple', steps: null } };
    const [over, open] = await store.transaction('write', async (session) => [
      await writeAlert(session, first, batched(newDigestId()), acknowledged(), resolved(resolvedAt)),
      await writeAlert(session, opened({ key: first.data.key, opening })),
    ]);
    expect(await listAlerts(pool, { key: first.data.key, states: ['resolved'], limit: 10 })).toEqual([
      {
        id: over.id,
        key: first.data.key,
        state: 'resolved',
        severity: 'error',
        source: 'apple',
        jobType: 'refresh_catalog',
        targetId: 'songs',
        chain: null,
        title: over.title,
        occurrences: 1,
        escalationLevel: 0,
        predecessorId: null,
        openedAt: longAgo,
        firstFailedAt: over.firstFailedAt,
        lastFailedAt: over.lastFailedAt,
        notifiedAt: null,
        acknowledgedAt: over.acknowledgement?.at ?? null,
        acknowledgedBy: over.acknowledgement?.by ?? null,
        resolvedAt,
        resolution: 'operator',
        nextAction: over.next.action,
        nextActionAt: over.next.at,
        silenced: false,
        version: 4,
      },
    ]);
    const both = await listAlerts(pool, { key: first.data.key, states: ['resolved', 'detected'], limit: 10 });
    expect(both.map(({ id }) => id).toSorted()).toEqual([over.id, open.id].toSorted());
    expect(both.find(({ id }) => id === open.id)).toMatchObject({ chain: 'apple', predecessorId: predecessor.alertId });
  });

  it('leaves canaries out when it is asked to, and no other alerts of Tocsin', async () => {
    const ids = await store.transaction('write', async (session) => {
      const own = { source: 'tocsin', severity: 'info' } as const;
      return [
        (await writeAlert(session, opened({ ...own, jobType: 'canary' }))).id,
        (await writeAlert(session, opened({ ...own, jobType: 'channel' }))).id,
      ];
    });
    const list = async (withoutCanaries: boolean) =>
      (await listAlerts(pool, { source: 'tocsin', withoutCanaries, limit: 100 })).map(({ id }) => id).toSorted();
    expect(await list(false)).toEqual(ids.toSorted());
    expect(await list(true)).toEqual(ids.slice(1));
  });

  it('shows what happens next, and whether a silence mutes it, as the model has it', async () => {
    const silenceId = randomUUID();
    const state = await store.transaction('write', (session) => writeAlert(session, opened(), silencedBy(silenceId)));
    const shown = async () => (await listAlerts(pool, { key: state.key, limit: 1 }))[0];
    expect(state.next).toEqual({ action: 'unsilence', at: longAfter });
    expect(await shown()).toMatchObject({ nextAction: 'unsilence', nextActionAt: longAfter, silenced: true });
    const heard: AlertState = { ...state, silences: {}, next: { action: 'wait', at: null } };
    await store.transaction('save', (session) => session.saveAlerts([heard]));
    expect(await shown()).toMatchObject({ nextAction: 'wait', nextActionAt: null, silenced: false });
  });
});

describe('findAlert', () => {
  it('finds an alert by the beginning of its id, in either case, with or without dashes', async () => {
    const { id } = await store.transaction('write', (session) => writeAlert(session, opened()));
    for (const asked of [id, id.toUpperCase(), id.replaceAll('-', ''), id.slice(0, 18)])
      expect((await findAlert(pool, asked))?.id).toBe(id);
  });

  it('names the candidates when several ids begin alike', async () => {
    const ids = ['abcdef01-0000-4000-8000-000000000001', 'abcdef01-0000-4000-8000-000000000002'] as AlertId[];
    await store.transaction('write', async (session) => {
      for (const alertId of ids) await writeAlert(session, opened({ alertId }));
    });
    const found = findAlert(pool, 'ABCDEF');
    await expect(found).rejects.toBeInstanceOf(AmbiguousAlert);
    await expect(found).rejects.toMatchObject({ code: 'ALERT_AMBIGUOUS', candidates: ids.map((id) => ({ id })) });
    await expect(found).rejects.toThrow(ids[1]);
    expect((await findAlert(pool, 'abcdef01-0000-4000-8000-000000000002'))?.id).toBe(ids[1]);
  });

  it('finds the open alert of a key, else the one opened last', async () => {
    const key = `job/${randomUUID()}`;
    const [older, newer] = await store.transaction('write', async (session) => [
      await writeAlert(session, opened({ key }, '2026-01-05T03:00:00.000000Z'), resolved(resolvedAt)),
      await writeAlert(session, opened({ key }, '2026-01-05T04:00:00.000000Z'), resolved(resolvedAt)),
    ]);
    expect((await findAlert(pool, key))?.id).toBe(newer.id);
    const open = await store.transaction('write', (session) =>
      writeAlert(session, opened({ key }, '2026-01-05T02:00:00.000000Z')),
    );
    expect((await findAlert(pool, key))?.id).toBe(open.id);
    expect(older.id).not.toBe(newer.id);
  });

  it.each(['abc', 'no such key', '', 'ffffffff-ffff-ffff-ffff-ffffffffffff', 'f'.repeat(33), '%'])(
    'finds nothing for %j',
    async (asked) => {
      expect(await findAlert(pool, asked)).toBeNull();
    },
  );
});

describe('streamEvents', () => {
  it('stops at an instant or a version, both included', async () => {
    const first = opened({}, '2026-01-05T03:00:00.000001Z');
    const streamId = alertStream(first.data.alertId);
    await store.transaction('write', (session) =>
      writeAlert(session, first, acknowledged('2026-01-05T03:00:00.000002Z'), resolved(resolvedAt)),
    );
    const versions = async (bounds: Parameters<typeof streamEvents>[2]) =>
      (await streamEvents(pool, streamId, bounds)).map(({ version }) => version);
    expect(await versions({})).toEqual([1, 2, 3]);
    expect(await versions({ until: '2026-01-05T03:00:00.000002Z' })).toEqual([1, 2]);
    expect(await versions({ version: 1 })).toEqual([1]);
  });
});

describe('outcomes', () => {
  const outcome = (jobId: string, table = 'research_jobs', failedAt = longAgo) => ({
    id: newOutcomeId(),
    table,
    jobId,
    kind: 'failed',
    failedAt,
  });

  it('finds the outcomes of a job, with or without its table, the newest first', async () => {
    const jobId = randomUUID();
    const [early, late, elsewhere] = [
      outcome(jobId),
      outcome(jobId, 'research_jobs', resolvedAt),
      outcome(jobId, 'other_jobs'),
    ];
    const alertId = newAlertId();
    await store.transaction('write', async (session) => {
      await session.announceOutcomes([early, late, elsewhere]);
      await session.recordOutcomes([{ ...late, alertId, disposition: 'recorded' }]);
    });
    const found = await outcomesOfJob(pool, { table: 'research_jobs', jobId });
    expect(found).toMatchObject([
      { ...late, alertId, disposition: 'recorded' },
      { ...early, alertId: null, disposition: null, recordedAt: null },
    ]);
    expect(await outcomesOfJob(pool, { jobId })).toHaveLength(3);
  });

  it('counts what was signalled too long ago and never dealt with, and shows the oldest', async () => {
    const before = await unaccountedOutcomes(pool, 60_000);
    const lost = outcome(randomUUID());
    await store.transaction('write', (session) => session.announceOutcomes([lost, outcome(randomUUID())]));
    await pool.query(`update tocsin.outcomes set signalled_at = '2020-01-01T00:00:00Z' where id = $1`, [lost.id]);
    const after = await unaccountedOutcomes(pool, 60_000);
    expect(after.count).toBe(before.count + 1);
    expect(after.samples[0]).toMatchObject({ ...lost, signalledAt: '2020-01-01T00:00:00.000000Z' });

    await store.transaction('record', (session) =>
      session.recordOutcomes([{ ...lost, alertId: null, disposition: 'ignored' }]),
    );
    expect((await unaccountedOutcomes(pool, 60_000)).count).toBe(before.count);
  });
});

describe('the rest of what people ask', () => {
  it('gives the deliveries about an alert with their attempts', async () => {
    const alertId = newAlertId();
    const attemptId = randomUUID();
    const [first, second] = await store.transaction('write', async (session) => {
      const digest = await writeDigest(session, digestOpened());
      const deliveries = [
        newDelivery(digest.id, { alertIds: [newAlertId(), alertId] }),
        newDelivery(digest.id, { alertIds: [alertId] }),
      ];
      await session.insertDeliveries([...deliveries, newDelivery(digest.id)]);
      return deliveries;
    });
    await store.transaction('claim', async (session) => {
      if (first !== undefined) await session.claimDelivery(first.id, { id: attemptId, timeoutMs: 1000 });
    });
    expect(await ledgerOfAlert(pool, alertId)).toMatchObject([
      { delivery: { id: first?.id, state: 'attempting' }, attempts: [{ id: attemptId, number: 1 }] },
      { delivery: { id: second?.id, state: 'pending' }, attempts: [] },
    ]);
    expect(await ledgerOfAlert(pool, newAlertId())).toEqual([]);
  });

  it('shows what is in quarantine, the newest first, as it first came', async () => {
    const [one, two] = [randomUUID(), randomUUID()];
    const put = (id: string, payload: unknown) =>
      store.transaction('put', (session) =>
        session.quarantine([{ id, queue: 'signals', payload, reason: 'not a signal' }]),
      );
    await put(one, { error: 'a\u0000b' });
    await put(two, null);
    await put(one, 'again');
    expect(await quarantined(pool, 2)).toMatchObject([
      { id: two, payload: null },
      { id: one, queue: 'signals', payload: { error: 'ab' }, reason: 'not a signal' },
    ]);
    expect(await quarantined(pool, 1)).toHaveLength(1);
  });

  it('shows when each instance began and last gave a sign of life', async () => {
    const beat = (reads: number) => store.transaction('beat', (session) => session.beat('detector', 'a', { reads }));
    await beat(1);
    await pool.query(
      `update tocsin.heartbeats set started_at = '2020-01-01T00:00:00Z', beat_at = now() - interval '1 hour'`,
    );
    expect((await heartbeats(pool))[0]?.ageMs).toBeGreaterThan(3_500_000);
    await beat(2);
    const [heartbeat] = await heartbeats(pool);
    expect(heartbeat).toMatchObject({
      component: 'detector',
      instance: 'a',
      startedAt: '2020-01-01T00:00:00.000000Z',
      data: { reads: 2 },
    });
    expect(heartbeat?.ageMs).toBeLessThan(60_000);
  });

  it('pages through all read models as stored, alerts first', async () => {
    const [alert, digest] = await store.transaction('write', async (session) => [
      await writeAlert(session, opened()),
      await writeDigest(session, digestOpened()),
    ]);
    const seen: StoredModel[] = [];
    let after: ModelCursor | null = null;
    do {
      const page: Awaited<ReturnType<typeof readModels>> = await readModels(pool, { after, limit: 3 });
      seen.push(...page.models);
      after = page.next;
    } while (after !== null);
    expect(seen).toContainEqual({ kind: 'alert', id: alert.id, modelVersion: alertModelVersion, data: alert });
    expect(seen).toContainEqual({ kind: 'digest', id: digest.id, modelVersion: alertModelVersion, data: digest });
    const { rows } = await pool.query<{ readonly count: number }>(
      'select ((select count(*) from tocsin.alerts) + (select count(*) from tocsin.digests))::integer as count',
    );
    expect(new Set(seen.map(({ id }) => id)).size).toBe(rows[0]?.count);
    expect(seen).toHaveLength(rows[0]?.count ?? 0);
  });

  it('forgets remembered successes when they are old, a bounded number at a time', async () => {
    const key = randomUUID();
    const remember = () =>
      store.transaction('remember', (session) => session.rememberSuccesses([{ key, signal: success() }]));
    for (let count = 0; count < 3; count += 1) await remember();
    await pool.query(`update tocsin.recent_successes set recorded_at = now() - interval '2 hours'`);
    await remember();
    expect(await forgetSuccesses(pool, 3_600_000, 2)).toBe(2);
    expect(await forgetSuccesses(pool, 3_600_000, 2)).toBe(1);
    expect(await store.read((session) => session.recentSuccesses([key]))).toHaveLength(1);
  });
});
