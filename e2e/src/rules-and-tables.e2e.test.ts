import { createPool, inTransaction } from '@tocsin/runtime';
import { createTestDatabase, startRestartableServer } from '@tocsin/testing';
import { afterAll, describe, expect, test } from 'vitest';
import { obanDoes, obanSchema } from '../../libs/job-sources/src/adapters/oban-schema.fixture.ts';
import { ask, expectBooksInOrder } from './harness/books.ts';
import { createJobs } from './harness/jobs.ts';
import { expectBalance } from './harness/ledger.ts';
import { storyTimeoutMs, withStage } from './harness/stage.ts';
import type { Stage } from './harness/stage.ts';
import { quickYaml, tellStory } from './harness/tell-story.ts';
import type { Story } from './harness/tell-story.ts';
import { expectAnswer, expectSilence, flat, onlyAlert, untilTold } from './harness/told.ts';
import { waitUntil } from './harness/wait-until.ts';

const failTwice = async (stage: Stage): Promise<string> => {
  await stage.jobs.failForGood({}, 'the disk is full');
  const last = await stage.jobs.failForGood({}, 'the disk is still full');
  await expectSilence(stage);
  return last;
};

const expectTwoHeld = async (stage: Stage, job: string): Promise<void> => {
  const { code, text } = await ask(stage, 'alerts', 'explain', '--job', job);
  expect(text).toContain('2 of 3 in a row');
  expect(code).toBe(0);
};

const threeInARow: Story = {
  title: 'two failures are held, a success begins the count anew, the third in a row tells all three',
  yaml: quickYaml('rules: [{ match: {}, threshold: { in_a_row: 3 } }]'),
  play: async (stage) => {
    stage.startBoth();
    await expectTwoHeld(stage, await failTwice(stage));
    await stage.jobs.runWell();
    await expectTwoHeld(stage, await failTwice(stage));
    await stage.jobs.failForGood({}, 'and the server, too');
    const told = await stage.nextMail();
    for (const error of ['the disk is full', 'the disk is still full', 'and the server, too'])
      expect(flat(told)).toContain(error);
    expect(flat(told)).toContain('3 failures in a row; rules[0] tells from the third');
    expect(await onlyAlert(stage)).toMatchObject({ occurrences: 3 });
    await expectSilence(stage);

    await stage.jobs.runWell();
    expectAnswer(await stage.nextMail(), told);
    await expectSilence(stage);
    const { rows } = await stage.pool.query(
      'select disposition, count(*)::integer from tocsin.outcomes group by disposition order by disposition',
    );
    // The first two are kept for a while, for one that may be heard of late; they are never told.
    expect(rows).toEqual([
      { disposition: 'held', count: 2 },
      { disposition: 'recorded', count: 3 },
    ]);
  },
};

const inPart: Story = {
  title: '1 failed part of 1,000 is not told, 50 are',
  yaml: quickYaml('rules: [{ match: {}, partial: { failed: 10 } }]'),
  play: async (stage) => {
    stage.startBoth();
    const fine = await stage.jobs.runPartly({ targetId: 'albums' }, { failed: 1, total: 1_000 });
    await stage.jobs.runPartly({}, { failed: 50, total: 1_000 });
    const told = await stage.nextMail();
    expect(flat(told)).toContain('50 of 1,000 parts failed');
    expect(flat(told)).not.toContain('albums');
    await expectSilence(stage);
    expect(await onlyAlert(stage)).toMatchObject({ severity: 'warning', occurrences: 1 });
    const explained = await ask(stage, 'alerts', 'explain', '--job', fine);
    expect(explained.text).toContain('not told, because rules[0] (1 of 1,000 parts failed) ignores it');

    await stage.jobs.runWell();
    expectAnswer(await stage.nextMail(), told);
    await expectSilence(stage);
  },
};

const hinted: Story = {
  title: 'a worker that hints is heard long before the next poll',
  yaml: `
version: 1
jobs: [{ name: research_jobs, table: public.research_jobs, poll: 1h, reconcile: 1h }]`,
  play: async (stage) => {
    const { detector } = stage.startBoth();
    await waitUntil('the detector to have polled and to listen', async () => {
      const { rows } = await stage.pool.query(
        `select 1
         from pg_stat_activity
         where datname = current_database() and application_name = 'tocsin-detector-hints' and query ilike 'listen%'
           and exists (select from tocsin.heartbeats where component = 'detector')`,
      );
      return rows.length > 0;
    });
    await inTransaction(stage.pool, 'worker', async (worker) => {
      await createJobs(worker).failForGood({}, 'told long before the hour is over');
      await worker.query('select tocsin.hint()');
    });
    expect((await stage.nextMail()).text).toContain('told long before the hour is over');
    await detector.stop();
    await stage.quiet();
    await expectBalance(stage.pool, stage.smtp.messages());
  },
};

const otherTable: Story = {
  title: 'the table of another job system is watched with two lines of configuration',
  yaml: `
version: 1
jobs: [{ name: oban, table: public.oban_jobs, adapter: oban, poll: 100ms, reconcile: 1s }]`,
  play: async (stage) => {
    await stage.pool.query(obanSchema());
    const { rows } = await stage.pool.query<{ readonly id: string }>(
      `insert into oban_jobs (queue, worker, args, max_attempts)
       select 'mail', 'MyApp.Mailer', '{"account_id": 7}', 1 from generate_series(1, 3) returning id::text`,
    );
    const [bad, canceled, good] = rows.map(({ id }) => id);
    const oban = (does: keyof typeof obanDoes, id: string | undefined, ...error: readonly string[]) =>
      stage.pool.query(obanDoes[does], [id, ...error]);
    await oban('execute', bad);
    await oban('discard', bad, '** (MailerError) 550 no such mailbox');
    await oban('cancel', canceled);
    stage.startBoth();
    const told = await stage.nextMail();
    expect(told.subject).toContain('mail/MyApp.Mailer');
    expect(flat(told)).toContain('550 no such mailbox');
    await expectSilence(stage);

    await oban('execute', good);
    await oban('complete', good);
    expectAnswer(await stage.nextMail(), told);
    await expectSilence(stage);
    expect(await onlyAlert(stage)).toMatchObject({ state: 'resolved', occurrences: 1 });
  },
};

for (const story of [threeInARow, inPart, hinted, otherTable])
  describe.concurrent(`rules and tables, as a user sees them: ${story.title}`, async () => {
    const database = await createTestDatabase();
    test('and the books are in order', { timeout: storyTimeoutMs }, () => tellStory(story, database));
  });

describe.concurrent('two databases', async () => {
  const database = await createTestDatabase();
  const far = await startRestartableServer();
  const farPool = createPool({
    connectionString: far.connectionString,
    max: 2,
    applicationName: 'tocsin test',
    onError: () => {},
  });
  afterAll(() => farPool.end());

  test('one that is down is told once, the other is watched all the same', { timeout: storyTimeoutMs }, () =>
    withStage(
      {
        database,
        yaml: `
version: 1
jobs:
  - { name: near, table: public.research_jobs, poll: 100ms, reconcile: 1s }
  - { name: far, table: public.research_jobs, database_url: '\${FAR_DATABASE_URL}', poll: 100ms, reconcile: 1s }
workers: { claim: 2s }`,
        env: { FAR_DATABASE_URL: far.connectionString },
      },
      async (stage) => {
        stage.expectErrors(
          (text, entry) => entry?.['decision'] === 'TableUnreadable' || /No PostgreSQL answers/.test(text),
        );
        const missed = await createJobs(farPool).failForGood({ targetId: 'far' }, 'failed before all was dark');
        const { rows } = await farPool.query<{ readonly at: Date }>(
          'select finished_at as at from public.research_jobs where id = $1',
          [missed],
        );
        await far.stop();
        await stage.jobs.failForGood({ targetId: 'near' }, 'failed meanwhile');
        stage.start('notifier');
        // A run by cron has no next poll, so it does not wait for the minute to be over.
        expect(await stage.start('detector', { args: ['--once'] }).waitForExit()).toMatchObject({ code: 1 });
        await untilTold(stage, 'failed meanwhile', 'Watched table far', 'No PostgreSQL answers');
        expect(await stage.start('detector', { args: ['--once'] }).waitForExit()).toMatchObject({ code: 1 });
        await expectSilence(stage);

        await far.start();
        stage.start('detector');
        await untilTold(stage, 'can be read again', 'failed before all was dark');
        await expectSilence(stage);
        const told = await stage.pool.query<{ readonly at: Date }>(
          `select (data ->> 'failedAt')::timestamptz as at from tocsin.events where data ->> 'jobId' = $1`,
          [missed],
        );
        expect(told.rows).toEqual(rows);
        await expectBooksInOrder(stage);
      },
    ),
  );
});
