import { createTestDatabase } from '@tocsin/testing';
import { beforeAll, expect, it } from 'vitest';
import { alertByKeyText } from '../reading/find-alert.ts';
import { ledgerOfAlertText } from '../reading/ledger-of-alert.ts';
import { readEventsText } from '../reading/read-events.ts';
import { unaccountedCountText } from '../reading/unaccounted-outcomes.ts';
import { activeSilencesText } from './active-silences.ts';
import { alertsOfDigestText } from './alerts-of-digest.ts';
import { alertsOfOlderModelText } from './alerts-of-older-model.ts';
import { alertsOfOutcomesText } from './alerts-of-outcomes.ts';
import { alertsOfSilenceText } from './alerts-of-silence.ts';
import { alertsWithStrayNewsText } from './alerts-with-stray-news.ts';
import { auditText } from './audit.ts';
import { beginAttemptText } from './begin-attempt.ts';
import { channelStatesText } from './channel-states.ts';
import { countOpenInThreadText } from './count-open-in-thread.ts';
import { countOpenOfText } from './count-open-of.ts';
import { dueDeliveriesText } from './due-deliveries.ts';
import { dueDigestsText } from './due-digests.ts';
import { dueSilencesText } from './due-silences.ts';
import { endConditionsText } from './end-conditions.ts';
import { endedConditionsText } from './ended-conditions.ts';
import { forgetOutcomesText } from './forget-outcomes.ts';
import { forgetProviderEventsText } from './forget-provider-events.ts';
import { forgetRepairsText } from './forget-repairs.ts';
import { forgetSilencesText } from './forget-silences.ts';
import { heldFailuresText } from './held-failures.ts';
import { intendedRepairsText } from './intended-repairs.ts';
import { keysOpenedSinceText } from './keys-opened-since.ts';
import { lastOpenedAtText } from './last-opened-at.ts';
import { listDeliveriesText } from './list-deliveries.ts';
import { loadPredecessorsText } from './load-predecessors.ts';
import { openAlertsText } from './open-alerts.ts';
import { openConditionsText } from './open-conditions.ts';
import { overdueAlertsText } from './overdue-alerts.ts';
import { providerEventsOfText } from './provider-events-of.ts';
import { recordRepairsText } from './record-repairs.ts';
import { releaseDeliveriesText } from './release-deliveries.ts';
import { releaseHeldText } from './release-held.ts';
import { restartsOfText } from './restarts-of.ts';
import { settledRepairsText } from './settled-repairs.ts';
import { staleHeldText } from './stale-held.ts';
import { stormDigestsSinceText } from './storm-digests-since.ts';
import { threadRootsText } from './thread-roots.ts';
import { unsettledDeliveriesText } from './unsettled-deliveries.ts';
import { watchedAlertsText } from './watched-alerts.ts';

const { pool } = await createTestDatabase();
const someId = '00000000-0000-4000-8000-000000000000';

// A long history with little in it that is still under way: one row in a hundred.
beforeAll(async () => {
  await pool.query(`
    insert into tocsin.alerts (
      id, key, state, severity, source, job_type, title, occurrences, opened_at, first_failed_at, last_failed_at, resolved_at,
      version, model_version, next_action, next_action_at, silenced, data)
    select gen_random_uuid(), 'key-' || n, case when n % 100 = 0 then 'batched' else 'resolved' end, 'error', 's', 'j', 't', 1,
      now() - n * interval '1 minute', now(), now(), case when n % 100 <> 0 then now() end, 1, 1,
      case when n % 100 = 0 then case when n % 300 = 0 then 'digest' else 'escalate' end else 'none' end,
      case when n % 100 = 0 then now() + (n - 2000) * interval '1 minute' end,
      n % 400 = 0,
      jsonb_build_object(
        'pending', case when n % 500 = 0 then '{"default": {}}' else '{}' end::jsonb,
        'batches', case when n % 300 = 0 then jsonb_build_object(gen_random_uuid(), '{}'::jsonb) else '{}' end,
        'told', '[]'::jsonb,
        'failedDeliveries', case when n % 1000 = 0 then 1 else 0 end,
        'flapping', null,
        'silences', case when n % 400 = 0 then jsonb_build_object('${someId}', '{}'::jsonb) else '{}' end)
    from generate_series(1, 20000) as n`);
  await pool.query(`
    insert into tocsin.silences (id, match, made_by, starts_at, ends_at, applied_at, ended_at, end_cause)
    select gen_random_uuid(), '{}', 'mina', now() - n * interval '1 hour', now(), now(),
      case when n % 100 > 0 then now() - n * interval '1 hour' end, case when n % 100 > 0 then 'expired' end
    from generate_series(1, 5000) as n`);
  await pool.query(`
    insert into tocsin.channel_states (channel)
    select 'channel-' || n
    from generate_series(1, 5000) as n`);
  await pool.query(`
    insert into tocsin.provider_events (id, provider, delivery_id, event, occurred_at, recorded_at)
    select 'event-' || n, 'sendgrid', gen_random_uuid(), 'delivered', now(), now() - n * interval '1 minute'
    from generate_series(1, 20000) as n`);
  await pool.query(`
    insert into tocsin.digests (id, route, purpose, state, opened_at, due_at, sealed_at, version, model_version, data)
    select gen_random_uuid(), 'route-' || n, case when n % 50 = 1 then 'storm' else 'window' end,
      case when n % 100 = 0 then 'open' else 'delivered' end, now(),
      now() + (n - 1000) * interval '1 minute', case when n % 100 > 0 then now() - n * interval '1 minute' end, 1, 1, '{}'
    from generate_series(1, 20000) as n`);
  await pool.query(`
    insert into tocsin.deliveries (
      id, digest_id, channel, purpose, state, thread_id, message_id, alert_ids, message, next_attempt_at, settled_at)
    select gen_random_uuid(), (select id from tocsin.digests limit 1), 'email', 'window',
      case when n % 100 = 0 then 'pending' when n % 100 = 50 then 'rejected' else 'accepted' end, gen_random_uuid(), 'm', array[gen_random_uuid()], '{}',
      case when n % 100 = 0 then now() end, case when n % 100 > 1 then now() end
    from generate_series(1, 20000) as n`);
  await pool.query(`
    insert into tocsin.delivery_attempts (id, delivery_id, number, outcome, ended_at)
    select gen_random_uuid(), id, 1, case when state = 'pending' then 'attempting' else 'accepted' end,
      case when state <> 'pending' then now() end
    from tocsin.deliveries`);
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
  await pool.query('analyze tocsin.held_failures, tocsin.repairs, tocsin.silences, tocsin.channel_states');
  await pool.query('analyze tocsin.provider_events, tocsin.delivery_attempts');
  await pool.query('analyze tocsin.alerts, tocsin.digests, tocsin.deliveries, tocsin.events, tocsin.outcomes');
});

it.each([
  { index: 'deliveries_waiting', text: dueDeliveriesText, values: [50] },
  { index: 'deliveries_unsettled', text: unsettledDeliveriesText, values: [50] },
  { index: 'deliveries_by_alert', text: ledgerOfAlertText, values: [someId, 500] },
  { index: 'digests_open_due', text: dueDigestsText, values: [50] },
  { index: 'alerts_open_by_id', text: watchedAlertsText, values: [someId, 20] },
  { index: 'alerts_open_key', text: alertByKeyText, values: ['key-77'] },
  { index: 'alerts_resolved_by_key', text: loadPredecessorsText, values: [['key-1', 'key-77'], 86_400_000] },
  { index: 'alerts_with_news_to_tell', text: alertsWithStrayNewsText, values: [200] },
  { index: 'alerts_due', text: overdueAlertsText, values: [60_000, 200] },
  { index: 'alerts_due_digest', text: overdueAlertsText, values: [60_000, 200] },
  { index: 'alerts_by_opening', text: keysOpenedSinceText, values: ['2026-01-05T03:00:00Z', 200] },
  { index: 'alerts_by_opening', text: lastOpenedAtText, values: [] },
  { index: 'alerts_open_by_id', text: openAlertsText, values: [someId, 20] },
  { index: 'alerts_open_(by_id|key)', text: alertsOfOlderModelText, values: [1, 200] },
  { index: 'alerts_open_by_id', text: countOpenOfText, values: [[someId]] },
  { index: 'alerts_open_by_id', text: countOpenInThreadText, values: [someId] },
  { index: 'deliveries_by_thread', text: countOpenInThreadText, values: [someId] },
  { index: 'deliveries_by_thread', text: threadRootsText, values: ['email', [someId]] },
  { index: 'deliveries_given_up', text: listDeliveriesText('dead'), values: [null, 100] },
  { index: 'deliveries_by_replaced', text: listDeliveriesText('dead'), values: [null, 100] },
  { index: 'deliveries_waiting', text: listDeliveriesText('waiting'), values: [null, 100] },
  { index: 'deliveries_waiting', text: releaseDeliveriesText, values: ['email', ['parked'], 60_000, 1_000] },
  { index: 'delivery_attempts_pkey', text: beginAttemptText, values: [someId] },
  { index: 'digests_of_storms', text: stormDigestsSinceText, values: [new Date()] },
  { index: 'silences_open', text: activeSilencesText, values: [1_000] },
  { index: 'silences_open', text: dueSilencesText, values: [200] },
  { index: 'alerts_by_silence', text: dueSilencesText, values: [200] },
  { index: 'alerts_(open_by_id|open_key|by_silence)', text: alertsOfSilenceText, values: [someId, someId, 500] },
  { index: 'silences_by_end', text: forgetSilencesText, values: [86_400_000, 100] },
  { index: 'channel_states_pkey', text: channelStatesText, values: [['channel-7']] },
  { index: 'provider_events_by_delivery', text: providerEventsOfText, values: [someId, 100] },
  { index: 'provider_events_by_age', text: forgetProviderEventsText, values: [86_400_000, 100] },
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

// Two tables are read as they are: one holds a row per channel, of the other at most auditMax rows are read. With 100,000 open
// alerts, of which 10,000 were silenced and 10,000 had news in digests overdue by hours, as many resolved ones, 670 silences that
// ended lately and 300 failures undecided it took 11 ms at best and 20 ms in the middle of 20 runs (PostgreSQL 18.4 on two busy
// cores).
it('audits through indexes alone', async () => {
  const { rows } = await pool.query<{ readonly 'QUERY PLAN': string }>(
    `explain (costs off) ${auditText}`,
    [60_000, 120_000],
  );
  const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
  for (const index of [
    'alerts_due',
    'alerts_due_digest',
    'digests_open_due',
    'deliveries_waiting',
    'deliveries_unsettled',
    'delivery_attempts_open',
    'outcomes_unaccounted',
    'silences_open',
    'alerts_by_silence',
    'alerts_untold',
  ])
    expect(plan).toMatch(new RegExp(`(using|on) ${index}\\b`));
  expect(plan).not.toMatch(/Seq Scan on (?!channel_states|quarantine)/);
});
