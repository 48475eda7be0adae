import { z } from 'zod';
import { durationLiteral } from '../duration.ts';
import type { EscalationConfig } from './config.ts';
import { channelNames } from './route-schema.ts';
import { SEVERITIES } from './rule-schema.ts';
import { DURATION_BOUNDS } from './setting-rules.ts';
import { count, duration, oneOrMany } from './setting-schemas.ts';

/** Most levels of one escalation. */
const LEVELS_MAX = 20;
/** Most repetitions; whoever has not answered then will not. */
const REPETITIONS_MAX = 100;

const after = duration(DURATION_BOUNDS.escalateAfter);

const level = z
  .strictObject({
    after: after.describe('How long nobody may have acknowledged, counted from the first accepted message.'),
    channels: channelNames.describe('Channels told then.'),
    severity: oneOrMany(z.enum(SEVERITIES))
      .describe('Only while the alert has one of these severities: one or a list. Default: whatever it has.')
      .optional(),
  })
  .transform(({ after: afterMs, channels, severity }) => ({
    afterMs,
    channels,
    ...(severity !== undefined && { severities: severity }),
  }));

const levels = z
  .array(level)
  .min(1, 'the list is empty, so nobody would be told; write at least one level')
  .max(LEVELS_MAX, `must have at most ${LEVELS_MAX} levels`)
  .superRefine((written, context) => {
    if (context.issues.length > 0) return;
    for (const [index, { afterMs }] of written.entries()) {
      const before = written[index - 1]?.afterMs;
      if (before === undefined || afterMs > before) continue;
      const message = `must be more than the ${durationLiteral(before)} of the level before; each after counts from the first accepted message`;
      context.addIssue({ code: 'custom', path: [index, 'after'], message });
    }
  });

/** One entry of `escalations`: one level directly, or a list of them. */
export const escalation = z
  .strictObject({
    after: after
      .describe('For a single level: how long nobody may have acknowledged, counted from the first accepted message.')
      .optional(),
    channels: channelNames.describe('For a single level: channels told then.').optional(),
    levels: levels.describe('Levels in the order of their times; instead of after and channels.').optional(),
    repeat: z
      .strictObject({
        every: duration(DURATION_BOUNDS.escalateAfter).describe('Time between two repetitions.'),
        times: count(1, REPETITIONS_MAX).describe('How often.'),
      })
      .describe('After the last level everybody of every level is told again so often. Default: never.')
      .optional(),
  })
  .transform((written, context): EscalationConfig => {
    if (context.issues.length > 0) return z.NEVER;
    const repeat = written.repeat && { repeat: { everyMs: written.repeat.every, times: written.repeat.times } };
    const refuse = (message: string): never => {
      context.addIssue(message);
      return z.NEVER;
    };
    if (written.levels !== undefined) {
      return written.after === undefined && written.channels === undefined
        ? { levels: written.levels, ...repeat }
        : refuse('has levels beside after and channels; move those into the levels');
    }
    if (written.after === undefined || written.channels === undefined) {
      const lacks = written.after === undefined ? (written.channels === undefined ? 'levels' : 'after') : 'channels';
      return refuse(`lacks ${lacks}; write { after: 30m, channels: [...] }, or levels`);
    }
    return { levels: [{ afterMs: written.after, channels: written.channels }], ...repeat };
  });
