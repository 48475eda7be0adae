import { z } from 'zod';
import { channelSchema } from './channel-schema.ts';
import { escalation } from './escalation-schema.ts';
import { jobTable } from './job-table-schema.ts';
import { flapping, selfWatch, storm, workers } from './reliability-schema.ts';
import { route } from './route-schema.ts';
import { rule } from './rule-schema.ts';
import { schedule } from './schedule-schema.ts';
import { DURATION_BOUNDS } from './setting-rules.ts';
import { duration, ENTRIES_MAX, listOf, name, text } from './setting-schemas.ts';
import { silence } from './silence-schema.ts';

const chain = z.strictObject({
  name: name.describe('Name of the chain, unique within its source.'),
  source: text.describe('Source of all its jobs.'),
  steps: listOf(
    z.strictObject({
      job_type: text.describe('Job type of the step.'),
      targets: listOf(text, 'the list is empty; leave it out if the step runs once')
        .describe('Target ids that all must succeed. Left out: the step runs once, whatever its target.')
        .optional(),
    }),
    'the list is empty; name at least one step',
  ).describe('Steps in the order they run.'),
  deadline: duration(DURATION_BOUNDS.deadline)
    .describe('How long a run may take from its start. Left out: for ever.')
    .optional(),
});

const retention = z.strictObject({
  outcomes: duration(DURATION_BOUNDS.retention).describe('How long outcomes of jobs are kept.').prefault('400d'),
  deliveries: duration(DURATION_BOUNDS.retention).describe('How long delivery attempts are kept.').prefault('90d'),
});

const delivery = z.strictObject({
  attempt_timeout: duration(DURATION_BOUNDS.attemptTimeout)
    .describe('How long one attempt at a provider may take before its outcome counts as unknown.')
    .prefault('30s'),
  unknown_retry: duration(DURATION_BOUNDS.unknownRetry)
    .describe('How long after an attempt of unknown outcome the same message is sent again.')
    .prefault('1m'),
});

/** What `tocsin.yaml` may hold. The only source of the rules: reading, error messages and the published JSON Schema all come from it. */
export const configSchema = z
  .strictObject({
    version: z.literal(1).describe('Version of this format.'),
    jobs: listOf(jobTable, 'the list is empty, so nothing would be watched; leave it out to watch public.research_jobs')
      .describe('Watched job tables.')
      .prefault([{ name: 'research_jobs', table: 'public.research_jobs' }]),
    chains: z.array(chain).max(ENTRIES_MAX).describe('Jobs that belong together and run in steps.').default([]),
    schedules: z.array(schedule).max(ENTRIES_MAX).describe('Work that must succeed regularly.').default([]),
    rules: z
      .array(rule)
      .max(ENTRIES_MAX)
      .describe('What failures mean. Per field, the first matching rule that sets it wins.')
      .default([]),
    routes: z
      .array(route)
      .max(ENTRIES_MAX)
      .describe('Where alerts are told. A route named default, for all alerts, is added unless one has no match.')
      .default([]),
    channels: z
      .record(name, channelSchema)
      .describe('Ways to tell someone, by name. outbox and console are always there.')
      .default({}),
    escalations: z.record(name, escalation).describe('Who is told when nobody acknowledges, by name.').default({}),
    silences: z
      .array(silence)
      .max(ENTRIES_MAX)
      .describe('Alerts that nobody is told of for a time. They stay on record.')
      .default([]),
    storm: storm.describe('When many alerts at once are told as one incident, or off.').prefault({}),
    flapping: flapping
      .describe('When an alert that opens and resolves again and again is told once only, or off.')
      .prefault({}),
    self_watch: selfWatch.describe('How Tocsin watches itself.').prefault({}),
    retention: retention.describe('How long records are kept.').prefault({}),
    delivery: delivery.describe('Patience with providers.').prefault({}),
    workers: workers.describe('Patience with workers, and where they can be looked at.').prefault({}),
  })
  .describe('Configuration of Tocsin, tocsin.yaml.');

/** The file after parsing: still snake_case, durations in milliseconds. */
export type ConfigFile = z.output<typeof configSchema>;
