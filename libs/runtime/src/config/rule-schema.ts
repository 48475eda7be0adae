import { z } from 'zod';
import { DURATION_RULE, parseDuration } from '../duration.ts';
import type { RuleConfig } from './config.ts';
import { jsonSchemaProblem } from './json-schema-problem.ts';
import { DURATION_BOUNDS, durationProblem } from './setting-rules.ts';
import {
  count,
  duration,
  durationOrOff,
  durationPatternOr,
  matchFields,
  oneOrMany,
  share,
  unlessTextOrMapping,
} from './setting-schemas.ts';

export const SEVERITIES = ['info', 'warning', 'error', 'critical'] as const;
export const GROUP_FIELDS = ['source', 'job_type', 'target_id'] as const;
export const KINDS = [
  'failed',
  'dead',
  'partial',
  'stuck',
  'stalled',
  'overdue',
  'deadline',
  'zero_throughput',
  'unhealthy',
] as const;

/** Most failures a threshold may wait for; as many are kept of one key. */
const THRESHOLD_FAILURES_MAX = 1_000;
/** Most ended jobs a ratio may wait for. */
const THRESHOLD_ENDED_MAX = 10_000;
const PARTS_MAX = 1_000_000_000;
const RESTARTS_MAX = 100;
const FACTOR_MAX = 1_000;

const AUTO_FACTOR = 3;
const AUTO_FLOOR_MS = 15 * 60_000;
const RESTARTS_DEFAULT = 3;
const BACKOFF_DEFAULT = '1m';

type StuckAfter = NonNullable<RuleConfig['stuckAfter']>;
type OnStuck = NonNullable<RuleConfig['onStuck']>;
type Threshold = NonNullable<RuleConfig['threshold']>;

const threshold = z
  .strictObject({
    in_a_row: count(1, THRESHOLD_FAILURES_MAX)
      .describe('Told from that many failures of one key on without a success between them.')
      .optional(),
    failures: count(1, THRESHOLD_FAILURES_MAX)
      .describe('Told from that many failures of one key within `within` on.')
      .optional(),
    ratio: share(Number.MIN_VALUE)
      .describe('Told when more than this share of the jobs that ended within `within` failed: 0.2 or "20%".')
      .optional(),
    within: duration(DURATION_BOUNDS.thresholdWithin)
      .describe('For failures and ratio: how far back they count.')
      .optional(),
    at_least: count(1, THRESHOLD_ENDED_MAX).describe('For ratio: once that many jobs have ended.').optional(),
  })
  .transform(({ in_a_row, failures, ratio, within, at_least }, context): Threshold => {
    if (context.issues.length > 0) return z.NEVER;
    const refuse = (problem: string): never => {
      context.addIssue(problem);
      return z.NEVER;
    };
    const named = [in_a_row, failures, ratio].filter((value) => value !== undefined).length;
    if (named !== 1) {
      return refuse(`must name ${named === 0 ? 'one' : 'only one'} of in_a_row, failures and ratio`);
    }
    if (in_a_row !== undefined) {
      return within === undefined && at_least === undefined
        ? { kind: 'in-a-row', failures: in_a_row }
        : refuse('in_a_row stands alone; drop within and at_least');
    }
    if (within === undefined) return refuse('lacks within, the time in which they count, such as within: 1h');
    if (failures !== undefined) {
      return at_least === undefined
        ? { kind: 'count', failures, withinMs: within }
        : refuse('at_least belongs to ratio; drop it');
    }
    return at_least === undefined || ratio === undefined
      ? refuse('lacks at_least, how many jobs must have ended before the ratio counts, such as at_least: 20')
      : { kind: 'ratio', over: ratio, withinMs: within, atLeast: at_least };
  });

const stuckText = z
  .string()
  .meta({ pattern: durationPatternOr('auto', 'off') })
  .transform((value, context): StuckAfter => {
    if (value === 'off') return { mode: 'off' };
    if (value === 'auto') return { mode: 'auto', factor: AUTO_FACTOR, floorMs: AUTO_FLOOR_MS };
    const problem = durationProblem(value, DURATION_BOUNDS.silence);
    // Of a job with heartbeats these are meant, of one without its changes: the detector takes what there is.
    if (problem === undefined) return { mode: 'fixed', heartbeatMs: parseDuration(value), updateMs: null };
    context.addIssue(`${problem}; or auto, or off`);
    return z.NEVER;
  });

const stuckMapping = z
  .strictObject({
    heartbeat: duration(DURATION_BOUNDS.silence).describe('Longest time without a heartbeat.').optional(),
    update: duration(DURATION_BOUNDS.silence)
      .describe('Longest time without any other change; for a job with heartbeats: while it beats.')
      .optional(),
    auto: z
      .strictObject({
        factor: z
          .number()
          .min(1, 'must be at least 1')
          .max(FACTOR_MAX, `must be at most ${FACTOR_MAX}`)
          .describe('Times the 99th percentile of past durations.')
          .default(AUTO_FACTOR),
        floor: duration(DURATION_BOUNDS.silence).describe('Never less than this.').prefault('15m'),
      })
      .describe('Learned from how long past jobs of the type took.')
      .optional(),
  })
  .transform(({ heartbeat, update, auto }, context): StuckAfter => {
    if (context.issues.length > 0) return z.NEVER;
    if (auto !== undefined && heartbeat === undefined && update === undefined) {
      return { mode: 'auto', factor: auto.factor, floorMs: auto.floor };
    }
    if (auto === undefined && (heartbeat !== undefined || update !== undefined)) {
      return { mode: 'fixed', heartbeatMs: heartbeat ?? null, updateMs: update ?? null };
    }
    context.addIssue('must name heartbeat, update or both, or else auto alone');
    return z.NEVER;
  });

const stuckAfter = z.union([stuckText, stuckMapping], {
  error: unlessTextOrMapping((input) =>
    typeof input === 'number'
      ? (durationProblem(input, DURATION_BOUNDS.silence) ?? 'must be a duration')
      : `must be ${DURATION_RULE}; or auto, or off, or a mapping with heartbeat and update`,
  ),
});

const partial = z.union(
  [
    z.literal('off'),
    z
      .strictObject({
        failed: count(0, PARTS_MAX).describe('Told when more parts than this failed.').optional(),
        ratio: share(0).describe('Told when more than this share of the parts failed: 0.05 or "5%".').optional(),
      })
      .transform(({ failed, ratio }, context) => {
        if (context.issues.length > 0) return z.NEVER;
        if (failed !== undefined || ratio !== undefined) return { failed: failed ?? null, ratio: ratio ?? null };
        context.addIssue('must name failed, ratio or both');
        return z.NEVER;
      }),
  ],
  {
    error: (issue) =>
      typeof issue.input === 'object' && issue.input !== null && !Array.isArray(issue.input)
        ? undefined
        : 'must be off, or a mapping with failed and ratio',
  },
);

const ACTIONS = ['alert', 'mark_dead', 'requeue'] as const;

type OnStuckInFile = {
  readonly action: (typeof ACTIONS)[number];
  readonly max_restarts?: number | undefined;
  readonly backoff?: number | undefined;
  readonly checkpoint?: Readonly<Record<string, unknown>> | undefined;
};

const onStuck = z
  .union(
    [
      z.enum(ACTIONS),
      z.strictObject({
        action: z.enum(ACTIONS).describe('What the janitor does.'),
        max_restarts: count(1, RESTARTS_MAX).describe('For requeue: how often one job is restarted.').optional(),
        backoff: duration(DURATION_BOUNDS.backoff)
          .describe('For requeue: wait before the first restart; doubles with each further one.')
          .optional(),
        checkpoint: z
          .record(z.string(), z.unknown())
          .superRefine((schema, context) => {
            const problem = jsonSchemaProblem(schema);
            if (problem !== undefined) context.addIssue(problem);
          })
          .describe('For requeue: JSON Schema that the checkpoint of the job must satisfy.')
          .optional(),
      }),
    ],
    { error: unlessTextOrMapping(() => `must be one of ${ACTIONS.join(', ')}, or a mapping with action`) },
  )
  .transform((value, context): OnStuck => {
    if (context.issues.length > 0) return z.NEVER;
    const { action, ...only }: OnStuckInFile = typeof value === 'string' ? { action: value } : value;
    if (action === 'requeue') {
      return {
        action,
        restartsMax: only.max_restarts ?? RESTARTS_DEFAULT,
        backoffMs: only.backoff ?? parseDuration(BACKOFF_DEFAULT),
        checkpointSchema: only.checkpoint ?? null,
      };
    }
    for (const [key, value] of Object.entries(only)) {
      if (value === undefined) continue;
      const message = `means nothing for ${action}; drop it, or write action: requeue`;
      context.addIssue({ code: 'custom', path: [key], message });
    }
    return { action };
  });

/** One entry of `rules`. */
export const rule = z.strictObject({
  match: z
    .strictObject({
      ...matchFields,
      kind: oneOrMany(z.enum(KINDS)).describe('What is wrong with the job: one kind or a list.').optional(),
    })
    .describe('Which jobs the rule is for. A field left out matches everything.'),
  severity: z
    .enum(SEVERITIES)
    .describe('How much a failure matters. Default: warning for partial and stalled, error for everything else.')
    .optional(),
  group_by: z
    .array(z.enum(GROUP_FIELDS))
    .superRefine((fields, context) => {
      if (!fields.includes('source') || !fields.includes('job_type'))
        context.addIssue('must include source and job_type');
      if (new Set(fields).size < fields.length) context.addIssue('must not name a field twice');
    })
    .describe('What makes failures one alert; source and job_type always do. Default: source, job_type, target_id.')
    .optional(),
  ignore: z.boolean().describe('True: failures are recorded but open no alert. Default: false.').optional(),
  threshold: threshold.describe('From when on failures are told. Default: from the first.').optional(),
  stuck_after: stuckAfter
    .describe('How long a running job may show no sign of life: a duration, auto or off. Default: auto.')
    .optional(),
  on_stuck: onStuck.describe('What the janitor does about a stuck job. Default: alert, which is nothing.').optional(),
  stalled_after: durationOrOff(DURATION_BOUNDS.silence)
    .describe('How long a job may wait after its time has come, or off. Default: 1h.')
    .optional(),
  no_completion_after: durationOrOff(DURATION_BOUNDS.silence)
    .describe('How long jobs of a type may run without any of them ending, or off, the default.')
    .optional(),
  partial: partial
    .describe('How much of a job that succeeded may have failed, or off. Default: a share of 1%.')
    .optional(),
});
