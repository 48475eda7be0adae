import { z } from 'zod';
import { timeZoneProblem } from '../zone-time.ts';
import { DURATION_BOUNDS } from './setting-rules.ts';
import { checkedText, duration, name, text } from './setting-schemas.ts';

/** One entry of `schedules`. What its keys mean together is checked by `checkSchedules`. */
export const schedule = z.strictObject({
  name: name.describe('Unique name of the schedule. It is part of the identity of its alerts.'),
  table: z.string().describe('Name of the watched table its jobs are in. Default: the first.').optional(),
  source: text.describe('Source of the jobs.'),
  chain: z.string().describe('The chain that must succeed; or job_type.').optional(),
  job_type: text.describe('The job type that must succeed; or chain.').optional(),
  target_id: text.describe('For job_type: the target that must succeed. Left out: whichever.').optional(),
  cron: text
    .describe('When it is due: minute, hour, day of the month, month and day of the week; or every.')
    .optional(),
  every: duration(DURATION_BOUNDS.every).describe('Longest time without a success; or cron.').optional(),
  timezone: checkedText(timeZoneProblem).describe('For cron: IANA name of the time zone. Default: UTC.').optional(),
  grace: duration(DURATION_BOUNDS.grace).describe('How late it may be.').prefault('30m'),
});
