import { createTestDatabase } from '@tocsin/testing';
import { beforeAll, expect, it } from 'vitest';
import { alertByKeyText } from '../reading/find-alert.ts';
import { ledgerOfAlertText } from '../reading/ledger-of-alert.ts';
import { readEventsText } from '../reading/read-events.ts';
import { unaccountedCountText } from '../reading/unaccounted-outcomes.ts';
import { alertsOfDigestText } from './alerts-of-digest.ts';
import { alertsOfOutcomesText } from './alerts-of-outcomes.ts';
import { alertsWithStrayNewsText } from './alerts-with-stray-news.ts';
import { dueDeliveriesText } from './due-deliveries.ts';
import { dueDigestsText } from './due-digests.ts';
import { endConditionsText } from './end-conditions.ts';
import { endedConditionsText } from './ended-conditions.ts';
import { forgetOutcomesText } from './forget-outcomes.ts';
import { forgetRepairsText } from './forget-repairs.ts';
import { heldFailuresText } from './held-failures.ts';
import { intendedRepairsText } from './intended-repairs.ts';
import { loadPredecessorsText } from './load-predecessors.ts';
import { openConditionsText } from './open-conditions.ts';
import { recordRepairsText } from './record-repairs.ts';
import { releaseHeldText } from './release-held.ts';
import { restartsOfText } from './restarts-of.ts';
import { settledRepairsText } from './settled-repairs.ts';
import { staleHeldText } from './stale-held.ts';
import { unsettledDeliveriesText } from './unsettled-deliveries.ts';
import { watchedAlertsText } from './watched-alerts.ts';

const { pool } = await createTestDatabase();
const someId = '00000000-0000-4000-8000-000000000000';

// A long history with little in it that is still under way: one row in a hundred.
beforeAll(async () => {
  await pool.query(`
    insert into tocsin.alerts (
      id, key, state, severity, source, job_type, title, occurrences, opened_at, first_failed_at, last_failed_at, resolved_at,
      version, model_version, data)
    select gen_random_uuid(), 'key-' || n, case when n % 100 = 0 then 'batched' else 'resolved' end, 'error', 's', 'j', 't', 1,
      now(), now(), now(), case when n % 100 <> 0 then now() end, 1, 1,
      case when n % 1000 = 0 then '{"pending": {"default": {}}}' else '{"pending": {}}' end::jsonb
    from generate_series(1, 20000) as n`);
  await pool.query(`
    insert into tocsin.digests (id, route, purpose, state, opened_at, due_at, version, model_version, data)
    select gen_random_uuid(), 'route-' || n, 'window', case when n % 100 = 0 then 'open' else 'delivered' end, now(),
      now() + (n - 1000) * interval '1 minute', 1, 1, '{}'
    from generate_series(1, 20000) as n`);
  await pool.query(`
    insert into tocsin.deliveries (
      id, digest_id, channel, purpose, state, thread_id, message_id, alert_ids, message, next_attempt_at, settled_at)
    select gen_random_uuid(), (select id from tocsin.digests limit 1), 'email', 'window',
      case when n % 100 = 0 then 'pending' else 'accepted' end, gen_random_uuid(), 'm', array[gen_random_uuid()], '{}',
      case when n % 100 = 0 then now() end, case when n % 100 > 1 then now() end
    from generate_series(1, 20000) as n`);
  await pool.query(`
    insert into tocsin.events (stream_id, version, event_id, type, schema_version, data, occurred_at)
    select 'alert-' || gen_random_uuid(), 1, gen_random_uuid(), case when n % 2 = 0 then 'AlertBatched' else 'FailureDetected' end, 1,
      jsonb_build_object('digestId', n / 20), now()
    from generate_series(1, 20000) as n`);
  await pool.query(`
    insert into tocsin.outcomes (id, job_table, job_id, kind, failed_at, disposition, recorded_at)
    select gen_random_uuid(), 'research_jobs', n::text, 'failed', now(), case when n % 100 > 0 then 'recorded' end,
      case when n % 100 > 0 then now() end
    from generate_series(1, 20000) as n`);
  await pool.query(`
    insert into tocsin.outcomes (
      id, job_table, job_id, kind, failed_at, disposition, recorded_at, subject, ended_at, end_cause)
    select gen_random_uuid(), 'research_jobs', n::text, 'stuck', now(), 'recorded', now(), '{}',
      case when n % 100 > 0 then now() end, case when n % 100 > 0 then 'alive' end
    from generate_series(1, 20000) as n`);
  await pool.query(`
    insert into tocsin.held_failures (outcome_id, key, rule, failed_at, signal, held_at)
    select gen_random_uuid(), 'key-' || n % 2000, 'rules[0]', now(), '{}', now() - n * interval '1 minute'
    from generate_series(1, 20000) as n`);
  await pool.query(`
    insert into tocsin.repairs (id, outcome_id, job_table, job_id, action, state, settled_at)
    select gen_random_uuid(), gen_random_uuid(), 'research_jobs', (n % 2000)::text, 'requeue',
      case when n % 100 > 0 then 'done' else 'intended' end, case when n % 100 > 0 then now() - n * interval '1 minute' end
    from generate_series(1, 20000) as n`);
  await pool.query('analyze tocsin.held_failures, tocsin.repairs');
  await pool.query('analyze tocsin.alerts, tocsin.digests, tocsin.deliveries, tocsin.events, tocsin.outcomes');
});

it.each([
  { index: 'deliveries_waiting', text: dueDeliveriesText, values: [50] },
  { index: 'deliveries_unsettled', text: unsettledDeliveriesText, values: [50] },
  { index: 'deliveries_by_alert', text: ledgerOfAlertText, values: [someId, 500] },
  { index: 'digests_open_due', text: dueDigestsText, values: [50] },
  { index: 'alerts_open_by_id', text: watchedAlertsText, values: [someId, 20] },
  { index: 'alerts_open_key', text: alertByKeyText, values: ['key-77'] },
  { index: 'alerts_resolved_by_key', text: loadPredecessorsText, values: [['key-1', 'key-77']] },
  { index: 'alerts_with_stray_news', text: alertsWithStrayNewsText, values: [200] },
  { index: 'events_batched_by_digest', text: alertsOfDigestText, values: ['77'] },
  { index: 'events_global_order', text: readEventsText, values: ['0', 0, 500] },
  { index: 'outcomes_open_conditions', text: openConditionsText, values: ['research_jobs', 500] },
  {
    index: 'outcomes_pkey',
    text: endConditionsText,
    values: [JSON.stringify([{ id: someId, cause: 'alive' }]), [someId]],
  },
  { index: 'outcomes_pkey', text: endedConditionsText, values: [[someId]] },
  { index: 'outcomes_pkey', text: alertsOfOutcomesText, values: [[someId]] },
  { index: 'outcomes_by_age', text: forgetOutcomesText, values: [86_400_000, 100] },
  { index: 'held_failures_by_key', text: heldFailuresText, values: [['key-1', 'key-77'], 1_000] },
  { index: 'held_failures_pkey', text: releaseHeldText, values: [[someId]] },
  { index: 'held_failures_by_age', text: staleHeldText, values: [14 * 86_400_000, 200] },
  { index: 'repairs_intended', text: intendedRepairsText, values: ['research_jobs', 100, 0] },
  { index: 'repairs_by_outcome', text: settledRepairsText, values: [[someId]] },
  { index: 'repairs_pkey', text: recordRepairsText, values: [[someId], [someId]] },
  { index: 'repairs_by_job', text: restartsOfText, values: ['research_jobs', ['1', '77']] },
  { index: 'repairs_by_age', text: forgetRepairsText, values: [86_400_000, 100] },
  { index: 'outcomes_unaccounted', text: unaccountedCountText, values: [60_000] },
])('finds what it needs through $index alone ($#)', async ({ index, text, values }) => {
  const { rows } = await pool.query<{ readonly 'QUERY PLAN': string }>(`explain (costs off) ${text}`, values);
  const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
  expect(plan).toMatch(new RegExp(`(using|on) ${index}\\b`));
  expect(plan).not.toContain('Seq Scan on');
});
