import { listAlerts } from '@tocsin/event-store';
import { createTestDatabase } from '@tocsin/testing';
import { describe, expect, test } from 'vitest';
import { expectBalance } from './harness/ledger.ts';
import { storyTimeoutMs } from './harness/stage.ts';
import type { Stage } from './harness/stage.ts';
import { quickYaml, tellStory } from './harness/tell-story.ts';
import type { Story } from './harness/tell-story.ts';
import { expectAnswer, expectSilence, flat, onlyAlert, untilTold } from './harness/told.ts';
import { waitUntil } from './harness/wait-until.ts';

/** A look for conditions may come later than the comparison that `quiet` waits for. */
const untilConditionsEnd = ({ pool }: Stage): Promise<true> =>
  waitUntil('every condition to have ended', async () => {
    const { rows } = await pool.query('select 1 from tocsin.outcomes where subject is not null and ended_at is null');
    return rows.length === 0;
  });

const showsASign: Story = {
  title: 'a stuck job that shows a sign of life is told once, and retracted',
  yaml: quickYaml('rules: [{ match: { job_type: refresh_catalog }, stuck_after: 30s }]'),
  play: async (stage) => {
    const id = await stage.jobs.fallSilent();
    stage.startBoth();
    const told = await stage.nextMail();
    expect(told.subject).toContain('apple/refresh_catalog/songs');
    expect(flat(told)).toContain('no heartbeat for 1 h; jobs of this type may be silent for 30 s (rules[0])');
    await expectSilence(stage);
    expect(await onlyAlert(stage)).toMatchObject({ state: 'notified', occurrences: 1 });

    await stage.jobs.beat(id);
    const retracted = await stage.nextMail();
    expectAnswer(retracted, told);
    expect(flat(retracted)).toContain('a sign of life at');
    expect(await onlyAlert(stage)).toMatchObject({ state: 'resolved', resolution: 'retracted' });
    await stage.jobs.succeed(id);
    await expectSilence(stage);
    await expectBalance(stage.pool, stage.smtp.messages(), { conditions: 1 });
  },
};

const isBuried: Story = {
  title: 'a stuck job that its own reaper buries is one alert with both, until the next success',
  yaml: quickYaml('rules: [{ match: {}, stuck_after: 30s }]'),
  play: async (stage) => {
    const id = await stage.jobs.fallSilent();
    stage.startBoth();
    const stuck = await stage.nextMail();
    await expectSilence(stage);
    await stage.jobs.bury(id, 'the reaper gave it up');
    // That it is no longer stuck is no mail of its own.
    const died = await untilTold(stage, 'was stuck and is now dead: the reaper gave it up');
    await untilConditionsEnd(stage);
    await stage.quiet();
    for (const mail of [...died, ...stage.takeMails()]) expectAnswer(mail, stuck);
    expect(await onlyAlert(stage)).toMatchObject({ state: 'notified', occurrences: 2 });

    await stage.jobs.runWell();
    const resolved = await stage.nextMail();
    expectAnswer(resolved, stuck);
    expect(flat(resolved)).toMatch(/^Resolved: apple\/refresh_catalog\/songs works again/);
    expect(await onlyAlert(stage)).toMatchObject({ state: 'resolved', resolution: 'succeeded' });
    await expectSilence(stage);
    await expectBalance(stage.pool, stage.smtp.messages(), { conditions: 1 });
  },
};

const isPiledUp: Story = {
  title: 'thirty jobs that nobody picks up are one mail about their worker',
  yaml: quickYaml(),
  play: async (stage) => {
    const ids = await stage.jobs.pileUp(30);
    stage.startBoth();
    const told = await stage.nextMail();
    expect(flat(told)).toMatch(
      /^30 apple\/refresh_catalog jobs wait and no worker picks them up; the oldest has been due for.*Is its worker running\?/,
    );
    await expectSilence(stage);
    expect(await onlyAlert(stage)).toMatchObject({ state: 'notified', occurrences: 1, severity: 'warning' });

    for (const id of ids) await stage.jobs.claim(id);
    const ended = await stage.nextMail();
    expectAnswer(ended, told);
    expect(flat(ended)).toContain('the queue of this type is being worked off');
    expect(await onlyAlert(stage)).toMatchObject({ state: 'resolved', resolution: 'retracted' });
    for (const id of ids) await stage.jobs.succeed(id);
    await expectSilence(stage);
    await expectBalance(stage.pool, stage.smtp.messages(), { conditions: 1 });
  },
};

const wasNeverEnqueued: Story = {
  title: 'expected work of which there is no job at all is overdue once, until it succeeds',
  yaml: quickYaml('schedules: [{ name: weekly, source: apple, job_type: weekly_report, every: 1h, grace: 10m }]'),
  play: async (stage) => {
    // Whoever hears of a schedule for the first time does not know what came before; so two hours go by.
    await stage.runOnce('detector');
    const aged = await stage.pool.query(
      `update tocsin.cursors set changed_at = changed_at - interval '2 hours' where name like 'schedule/%'`,
    );
    expect(aged.rowCount).toBe(1);
    stage.startBoth();
    const told = await stage.nextMail();
    expect(told.subject).toContain('apple/weekly_report is overdue');
    expect(flat(told)).toContain('was it ever enqueued?');
    await expectSilence(stage);
    expect(await onlyAlert(stage)).toMatchObject({ state: 'notified', occurrences: 1 });

    await stage.jobs.runWell({ jobType: 'weekly_report', targetId: null });
    const resolved = await stage.nextMail();
    expectAnswer(resolved, told);
    expect(flat(resolved)).toContain('it succeeded after all');
    expect(await onlyAlert(stage)).toMatchObject({ state: 'resolved', resolution: 'succeeded' });
    await expectSilence(stage);
    await expectBalance(stage.pool, stage.smtp.messages(), { conditions: 1 });
  },
};

const isRepaired: Story = {
  title: 'a stuck job is requeued from its checkpoint, one without a good one is left alone, and the digest says so',
  yaml: `
version: 1
jobs:
  - name: research_jobs
    table: public.research_jobs
    columns: { checkpoint: payload.checkpoint }
    poll: 100ms
    reconcile: 1s
rules:
  - match: { job_type: refresh_catalog }
    stuck_after: 30s
    on_stuck:
      action: requeue
      backoff: 1s
      checkpoint:
        type: object
        required: [stage]
        properties: { stage: { enum: [pdf_loaded, text_extracted] } }
workers: { claim: 2s }`,
  env: (connectionString) => ({ JANITOR_DATABASE_URL: connectionString, TOCSIN_DIGEST_WINDOW: '3s' }),
  play: async (stage) => {
    const id = await stage.jobs.fallSilent({ payload: { checkpoint: { stage: 'text_extracted' } } });
    const lost = await stage.jobs.fallSilent({ targetId: 'lost', payload: { checkpoint: { stage: 'unheard of' } } });
    stage.startBoth();
    const told = await stage.nextMail();
    expect(flat(told)).toContain(`job ${id} was requeued by the janitor, restart 1 of 3`);
    expect(flat(told)).toContain(
      `job ${lost} was left alone by the janitor: its checkpoint does not fit the rule's schema: stage: must be one of`,
    );
    await expectSilence(stage);

    await stage.jobs.claim(id);
    await stage.jobs.succeed(id);
    const resolved = await stage.nextMail();
    expectAnswer(resolved, told);
    expect(flat(resolved)).toMatch(/^Resolved: apple\/refresh_catalog\/songs works again/);
    await stage.jobs.succeed(lost);
    expectAnswer(await stage.nextMail(), told);
    await expectSilence(stage);
    const alerts = await listAlerts(stage.pool, { limit: 10 });
    expect(alerts.map(({ state, resolution }) => [state, resolution])).toEqual([
      ['resolved', 'succeeded'],
      ['resolved', 'succeeded'],
    ]);
    await expectBalance(stage.pool, stage.smtp.messages(), { conditions: 2 });
  },
};

for (const story of [showsASign, isBuried, isPiledUp, wasNeverEnqueued, isRepaired])
  describe.concurrent(`conditions, as a user sees them: ${story.title}`, async () => {
    const database = await createTestDatabase();
    test('and the books are in order', { timeout: storyTimeoutMs }, () => tellStory(story, database));
  });
