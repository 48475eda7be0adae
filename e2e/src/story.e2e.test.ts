import { listAlerts } from '@tocsin/event-store';
import { createTestDatabase } from '@tocsin/testing';
import { describe, expect, test } from 'vitest';
import { acknowledgeAs } from './harness/acknowledge-as.ts';
import { expectBalance } from './harness/ledger.ts';
import { present } from './harness/present.ts';
import { recipient, sender, storyTimeoutMs, withStage } from './harness/stage.ts';
import type { Stage } from './harness/stage.ts';
import { waitUntil } from './harness/wait-until.ts';

const chains = [
  {
    name: 'catalog',
    source: 'apple',
    steps: [{ job_type: 'refresh_catalog', targets: ['albums', 'songs', 'artists'] }, { job_type: 'rebuild_index' }],
  },
];
const monday = (week: number): string => new Date(Date.UTC(2026, 2, 2 + 7 * week, 3)).toISOString();
const inRun = (week: number) => ({ payload: { chain_started_at: monday(week) } });
const refresh = (week: number, targetId: string) => ({ targetId, ...inRun(week) });
const rebuild = (week: number) => ({ jobType: 'rebuild_index', targetId: null, ...inRun(week) });

const onlyAlert = async ({ pool }: Pick<Stage, 'pool'>) => {
  const alerts = await listAlerts(pool, { limit: 10 });
  expect(alerts).toHaveLength(1);
  return present(alerts[0]);
};

describe('a chain that fails, is taken care of, and works again', async () => {
  const database = await createTestDatabase();

  test('tells once what failed for good, what is new since, and that it works again', { timeout: storyTimeoutMs }, () =>
    withStage(
      { database, config: { chains }, env: { ADMIN_URL: 'https://admin.example/jobs/{id}' } },
      async (stage) => {
        const { jobs } = stage;
        stage.startBoth();

        // Retries, cancelled, waiting and running jobs are nobody's business.
        await jobs.runWell(refresh(0, 'albums'));
        await jobs.runWell(refresh(0, 'artists'));
        const songs = await jobs.enqueue(refresh(0, 'songs'));
        for (const attempt of [1, 2]) {
          await jobs.claim(songs);
          expect(await jobs.fail(songs, `HTTP 503, attempt ${attempt}`)).toBe('pending');
          await stage.quiet();
        }
        await jobs.cancel(await jobs.enqueue({ targetId: 'lyrics' }));
        await jobs.enqueue({ targetId: 'waiting' });
        await jobs.claim(await jobs.enqueue({ targetId: 'running' }));
        await stage.quiet();
        expect(stage.smtp.messages()).toHaveLength(0);

        // Monday: songs fails for good, so rebuild_index never runs.
        await jobs.claim(songs);
        expect(await jobs.fail(songs, 'HTTP 503 from the catalogue')).toBe('failed');
        const first = await stage.nextMail();
        expect(first.subject).toContain('songs failed');
        expect(first.subject).toContain('rebuild_index did not run');
        expect(first).toMatchObject({ from: sender, to: [recipient], inReplyTo: null, references: [] });
        expect(first.envelope).toEqual({ from: sender, to: [recipient] });
        expect(first.text).toContain('HTTP 503 from the catalogue');
        expect(first.text).toContain(`https://admin.example/jobs/${songs}`);
        expect(first.html).toContain(`https://admin.example/jobs/${songs}`);
        expect(first.headerLines.find(({ key }) => key === 'auto-submitted')?.line).toBe(
          'Auto-Submitted: auto-generated',
        );
        await waitUntil('the alert to be notified', async () => (await onlyAlert(stage)).state === 'notified');

        // An admin tool touches the row: nothing new.
        await stage.pool.query('update public.research_jobs set updated_at = now() where id = $1', [songs]);
        await stage.quiet();
        expect(stage.smtp.messages()).toHaveLength(1);

        // The Monday after: the same alert, one more occurrence, told in the same conversation.
        await jobs.failForGood(refresh(1, 'songs'), 'HTTP 503 from the catalogue');
        const second = await stage.nextMail();
        expect(second.subject).toBe(`Re: ${first.subject}`);
        expect(second.inReplyTo).toBe(first.messageId);
        expect(second.references).toEqual([first.messageId]);
        expect(second.messageId).not.toBe(first.messageId);
        await stage.quiet();
        const open = await onlyAlert(stage);
        expect(open).toMatchObject({ state: 'notified', occurrences: 2, key: 'chain/apple/catalog' });

        // Ann takes it; a third failing run is recorded and not told.
        expect(await acknowledgeAs(database, open.id, 'ann', { until: 'success' })).toMatchObject({ done: true });
        await jobs.failForGood(refresh(2, 'songs'), 'HTTP 503 from the catalogue');
        await waitUntil('the third failure to be recorded', async () => (await onlyAlert(stage)).occurrences === 3);
        await stage.quiet();
        expect(await onlyAlert(stage)).toMatchObject({ state: 'acknowledged', acknowledgedBy: 'ann' });
        expect(stage.smtp.messages()).toHaveLength(2);

        // The next run is green step by step; only the last step makes it so.
        for (const target of ['albums', 'songs', 'artists']) await jobs.runWell(refresh(3, target));
        await stage.quiet();
        expect(await onlyAlert(stage)).toMatchObject({ state: 'acknowledged' });
        await jobs.runWell(rebuild(3));
        const resolution = await stage.nextMail();
        expect(resolution.subject).toBe(`Re: ${first.subject}`);
        expect(resolution).toMatchObject({
          inReplyTo: first.messageId,
          references: [first.messageId],
          to: [recipient],
        });
        expect(resolution.text).toMatch(
          /^Resolved: apple\/catalog works again after .*3 failures\.\s+Acknowledged by\s+ann\./s,
        );
        await stage.quiet();
        expect(await onlyAlert(stage)).toMatchObject({ state: 'resolved', resolution: 'chain-run-green' });
        expect(new Set(stage.smtp.messages().map(({ messageId }) => messageId)).size).toBe(3);
      },
    ),
  );
});

describe('one window of a chain', async () => {
  const database = await createTestDatabase();

  test('three failed refreshes and the missing rebuild are one alert in one mail', { timeout: storyTimeoutMs }, () =>
    withStage({ database, config: { chains }, env: { TOCSIN_DIGEST_WINDOW: '6s' } }, async (stage) => {
      stage.startBoth();
      for (const target of ['albums', 'songs', 'artists']) {
        await stage.jobs.failForGood(refresh(0, target), `HTTP 503 for ${target}`);
        await waitUntil('it to be recorded', async () => {
          const [alert] = await listAlerts(stage.pool, { limit: 2 });
          return (alert?.occurrences ?? 0) >= 1;
        });
      }
      const mail = await stage.nextMail();
      await stage.quiet();
      expect(mail.subject).toContain('rebuild_index did not run');
      expect(mail.text).toMatch(/^albums, songs and artists failed/);
      for (const target of ['albums', 'songs', 'artists']) expect(mail.text).toContain(`HTTP 503 for ${target}`);
      expect(await onlyAlert(stage)).toMatchObject({ occurrences: 3, state: 'notified' });
      await expectBalance(stage.pool, stage.smtp.messages());
    }),
  );
});

describe('jobs outside chains', async () => {
  const database = await createTestDatabase();

  test(
    'a dead job is told whatever its attempts; one that failed and recovered in one window is told once',
    { timeout: storyTimeoutMs },
    () =>
      withStage({ database, env: { TOCSIN_DIGEST_WINDOW: '6s' } }, async (stage) => {
        const dead = await stage.jobs.enqueue({ source: 'google', jobType: 'import', targetId: 'a', maxAttempts: 5 });
        await stage.jobs.claim(dead);
        await stage.jobs.bury(dead, 'worker lost');
        await stage.jobs.failForGood({ source: 'google', jobType: 'import', targetId: 'b' }, 'no space left on device');
        stage.startBoth();
        await waitUntil(
          'both to be in a digest',
          async () => (await listAlerts(stage.pool, { limit: 3 })).length === 2,
        );
        await stage.jobs.runWell({ source: 'google', jobType: 'import', targetId: 'b' });
        const mail = await stage.nextMail();
        await stage.quiet();
        expect(mail.text).toContain('google/import/a');
        expect(mail.text).toContain('worker lost');
        expect(mail.text).toMatch(/RECOVERED|recovered/);
        await expectBalance(stage.pool, stage.smtp.messages());
      }),
  );
});

describe('run by cron', async () => {
  const database = await createTestDatabase();
  const windowed = await createTestDatabase();

  test('both with --once do all that is due, then exit, and do nothing twice', { timeout: storyTimeoutMs }, () =>
    withStage({ database }, async (stage) => {
      await stage.runOnce('detector');
      await stage.runOnce('notifier');
      await stage.jobs.failForGood({ targetId: 'songs' });
      const pending = await stage.jobs.enqueue({ targetId: 'albums' });
      await stage.jobs.claim(pending);
      await stage.jobs.fail(pending, 'will be tried again');
      await stage.runOnce('detector');
      expect(stage.smtp.messages()).toHaveLength(0);
      await stage.runOnce('notifier');
      const failure = await stage.nextMail();
      expect(failure.subject).toContain('apple/refresh_catalog/songs failed');
      await stage.runOnce('detector');
      await stage.runOnce('notifier');
      expect(stage.smtp.messages()).toHaveLength(1);

      await stage.jobs.runWell({ targetId: 'songs' });
      await stage.runOnce('detector');
      await stage.runOnce('notifier');
      const resolution = await stage.nextMail();
      expect(resolution.inReplyTo).toBe(failure.messageId);
      await stage.runOnce('detector');
      await stage.runOnce('notifier');
      await expectBalance(stage.pool, stage.smtp.messages());
    }),
  );

  test('a digest whose window is not over waits for a later run', { timeout: storyTimeoutMs }, () =>
    withStage({ database: windowed, env: { TOCSIN_DIGEST_WINDOW: '8s' } }, async (stage) => {
      await stage.jobs.failForGood({ source: 'google', jobType: 'import', targetId: 'cron' });
      await stage.runOnce('detector');
      await stage.runOnce('notifier');
      expect(stage.smtp.messages()).toHaveLength(0);
      await waitUntil('the window to be over', async () => {
        const { rows } = await stage.pool.query<{ readonly due: boolean }>(
          `select due_at <= now() as due from tocsin.digests where state = 'open'`,
        );
        return rows[0]?.due;
      });
      await stage.runOnce('notifier');
      expect((await stage.nextMail()).subject).toContain('google/import/cron');
    }),
  );
});
