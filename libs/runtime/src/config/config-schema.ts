import { z } from 'zod';
import { emailAddressProblem, splitAddresses } from './email-address.ts';
import { jobTable } from './job-table-schema.ts';
import { rule, SEVERITIES } from './rule-schema.ts';
import { schedule } from './schedule-schema.ts';
import { apiKeyProblem, DURATION_BOUNDS, HTTP_PROTOCOLS, recipientsProblem, SMTP_PROTOCOLS } from './setting-rules.ts';
import {
  checkedText,
  duration,
  ENTRIES_MAX,
  listOf,
  matchFields,
  name,
  oneOrMany,
  text,
  url,
} from './setting-schemas.ts';

const channelNames = listOf(z.string(), 'the list is empty, so nobody would be told; name at least one channel');

const recipients = z
  .union([z.string(), z.array(z.string())])
  .transform((value) => (typeof value === 'string' ? splitAddresses(value) : value))
  .superRefine((addresses, context) => {
    const problem = recipientsProblem(addresses);
    if (problem !== undefined) context.addIssue(problem);
  });

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

const route = z.strictObject({
  name: name.describe('Unique name of the route.'),
  match: z
    .strictObject({
      ...matchFields,
      severity: oneOrMany(z.enum(SEVERITIES)).describe('Severities: one or a list.').optional(),
    })
    .describe('Which alerts the route is for. Left out: all. Every route that matches is used.')
    .optional(),
  channels: channelNames.describe('Channels that each get the digest.'),
  fallback: listOf(z.string(), 'the list is empty; leave it out')
    .describe('Channels tried in order when none of `channels` accepted it.')
    .optional(),
  digest: z
    .strictObject({
      window: duration(DURATION_BOUNDS.digestWindow)
        .describe('How long alerts are gathered before one digest is sent; 0 sends at once.')
        .optional(),
    })
    .describe('How alerts are gathered. Default window: TOCSIN_DIGEST_WINDOW, else 15m.')
    .optional(),
  escalation: z.string().describe('Escalation that applies when nobody acknowledges.').optional(),
});

const mailFields = {
  to: recipients.describe('Recipients, as a list or separated by commas. Default: ALERT_EMAIL_TO.').optional(),
  from: checkedText(emailAddressProblem)
    .describe("Sender. Default: ALERT_EMAIL_FROM, else tocsin@ the first recipient's domain.")
    .optional(),
};

/** One entry of `channels`; exported because each is completed from the environment even if another one is wrong. */
export const channelSchema = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('sendgrid').describe('E-mail through SendGrid.'),
    ...mailFields,
    api_key: checkedText(apiKeyProblem).describe('API key, best as "${NAME}". Default: SENDGRID_API_KEY.').optional(),
    base_url: url(HTTP_PROTOCOLS)
      .describe('Address of the API. Default: SENDGRID_BASE_URL, else that of SendGrid.')
      .optional(),
  }),
  z.strictObject({
    type: z.literal('smtp').describe('E-mail through an SMTP server.'),
    ...mailFields,
    url: url(SMTP_PROTOCOLS)
      .describe('smtp:// or smtps:// address with user and password. Default: SMTP_URL.')
      .optional(),
  }),
  z.strictObject({
    type: z.literal('outbox').describe('Mail written to a local directory.'),
    directory: text.describe('Where to. Default: .tocsin/outbox in the working directory.').optional(),
  }),
  z.strictObject({ type: z.literal('console').describe("Text on the process's own output.") }),
]);

const escalation = z.strictObject({
  after: duration(DURATION_BOUNDS.escalateAfter).describe(
    'How long nobody may have acknowledged, counted from the first accepted message.',
  ),
  channels: channelNames.describe('Channels told then.'),
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

const workers = z.strictObject({
  claim: duration(DURATION_BOUNDS.claim)
    .describe('How long a worker may be silent before another one takes over its queue jobs; whole seconds.')
    .prefault('10s'),
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
    retention: retention.describe('How long records are kept.').prefault({}),
    delivery: delivery.describe('Patience with providers.').prefault({}),
    workers: workers.describe('Patience with workers.').prefault({}),
  })
  .describe('Configuration of Tocsin, tocsin.yaml.');

/** The file after parsing: still snake_case, durations in milliseconds. */
export type ConfigFile = z.output<typeof configSchema>;

/** One declared channel after parsing, not yet completed from the environment. */
export type DeclaredChannel = z.output<typeof channelSchema>;
