import { z } from 'zod';
import { cronProblem } from '../cron.ts';
import { timeZoneProblem } from '../zone-time.ts';
import { KINDS, SEVERITIES } from './rule-schema.ts';
import { DURATION_BOUNDS } from './setting-rules.ts';
import { checkedText, count, duration, listOf, matchFields, name, oneOrMany, text } from './setting-schemas.ts';
import { quietHours, timeWindow } from './time-window-schema.ts';

/** Most items one message shows; beyond that nobody reads on, and mail programs cut it off. */
export const ITEMS_MAX = 100;

/** Names of channels that are told. */
export const channelNames = listOf(z.string(), 'the list is empty, so nobody would be told; name at least one channel');

const allQuiet = z
  .strictObject({
    cron: text.describe('When it is told: minute, hour, day of the month, month and day of the week.'),
    timezone: checkedText(timeZoneProblem).describe('IANA name of the time zone. Default: UTC.').optional(),
  })
  .superRefine(({ cron, timezone }, context) => {
    if (context.issues.length > 0) return;
    const problem = cronProblem(cron, timezone ?? 'UTC');
    if (problem !== undefined) context.addIssue({ code: 'custom', path: ['cron'], message: problem });
  });

/** One entry of `routes`. What it refers to is checked by `checkReferences` and `checkRoutes`. */
export const route = z.strictObject({
  name: name.describe('Unique name of the route.'),
  match: z
    .strictObject({
      ...matchFields,
      severity: oneOrMany(z.enum(SEVERITIES)).describe('Severities: one or a list.').optional(),
      kind: oneOrMany(z.enum(KINDS)).describe('What is wrong with the job: one kind or a list.').optional(),
      adapter: oneOrMany(name).describe('Adapters of watched tables: one or a list.').optional(),
      during: listOf(timeWindow, 'the list is empty, so the route would never be used; leave it out')
        .describe('Hours in which the alert opens: a list of windows.')
        .optional(),
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
      first_at_once: z
        .boolean()
        .describe('True: the first news of an alert goes out at once; what follows is gathered. Default: false.')
        .optional(),
      max_items: count(1, ITEMS_MAX)
        .describe('Most items one message shows; what is beyond is counted. Default: 100.')
        .optional(),
      all_quiet: allQuiet.describe('When "all quiet" is told although nothing happened. Left out: never.').optional(),
    })
    .describe('How alerts are gathered. Default window: TOCSIN_DIGEST_WINDOW, else 15m.')
    .optional(),
  quiet_hours: quietHours
    .describe('Digests that come due in these hours wait until they are over. Default: none.')
    .optional(),
  escalation: z.string().describe('Escalation that applies when nobody acknowledges.').optional(),
});
