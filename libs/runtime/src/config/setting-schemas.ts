import { z } from 'zod';
import { DURATION_PATTERN, parseDuration } from '../duration.ts';
import { jobPatternProblem } from './job-pattern.ts';
import { type DurationBounds, durationProblem, shareProblem, parseShare, urlProblem } from './setting-rules.ts';

/** The building blocks of the sections of `tocsin.yaml`. */

/** Most entries of any list in the file. */
export const ENTRIES_MAX = 500;

/** Text for which `problemOf` finds nothing wrong. */
export const checkedText = (problemOf: (value: string) => string | undefined) =>
  z.string().superRefine((value, context) => {
    const problem = problemOf(value);
    if (problem !== undefined) context.addIssue(problem);
  });

/** A list of at least one entry. */
export const listOf = <Item extends z.ZodType>(item: Item, emptyRule: string) =>
  z.array(item).min(1, emptyRule).max(ENTRIES_MAX, `must have at most ${ENTRIES_MAX} entries`);

/** One value or a list of at least one; always a list afterwards. */
export const oneOrMany = <Item extends z.ZodType>(item: Item) =>
  z
    .union([item, listOf(item, 'the list is empty, so nothing would match; leave the field out to match everything')])
    .transform((value) => (Array.isArray(value) ? value : [value]) as readonly z.output<Item>[]);

/** A duration within bounds; milliseconds afterwards. */
export const duration = (bounds: DurationBounds) =>
  z
    .union([z.string().meta({ pattern: DURATION_PATTERN }), z.literal(0)], {
      error: (issue) => durationProblem(issue.input, bounds) ?? 'must be a duration',
    })
    .transform((value, context) => {
      const problem = durationProblem(value, bounds);
      if (problem === undefined) return parseDuration(value);
      context.addIssue(problem);
      return z.NEVER;
    });

/** A duration within bounds, or `off`; milliseconds, or null for off. */
export const durationOrOff = (bounds: DurationBounds) => {
  const problemOf = (value: unknown): string | undefined =>
    value === 'off' ? undefined : durationProblem(value, bounds)?.concat('; or off');
  return z
    .union([z.string().meta({ pattern: durationPatternOr('off') }), z.literal(0)], {
      error: (issue) => problemOf(issue.input) ?? 'must be a duration, or off',
    })
    .transform((value, context): number | null => {
      const problem = problemOf(value);
      if (problem === undefined) return value === 'off' ? null : parseDuration(value);
      context.addIssue(problem);
      return z.NEVER;
    });
};

/** The pattern of a duration that may also be one of these words. */
export const durationPatternOr = (...words: readonly string[]): string =>
  DURATION_PATTERN.replace('^(', `^(${words.join('|')}|`);

/** A share such as `0.05` or `5%`, at least `min` and below 1; a number afterwards. */
export const share = (min: number) =>
  z
    .union([z.number(), z.string()], { error: (issue) => shareProblem(issue.input, min) ?? 'must be a share' })
    .transform((value, context) => {
      const problem = shareProblem(value, min);
      if (problem === undefined) return parseShare(value);
      context.addIssue(problem);
      return z.NEVER;
    });

/** A whole number within inclusive bounds. */
export const count = (min: number, max: number) =>
  z.int().min(min, `must be at least ${min}`).max(max, `must be at most ${max}`);

/**
 * For a union of a text and a mapping: says what is wanted when the value is neither. What is wrong inside the right form
 * says the form itself.
 */
export const unlessTextOrMapping =
  (rule: (input: unknown) => string) =>
  ({ input }: { readonly input?: unknown }): string | undefined => {
    const isMapping = typeof input === 'object' && input !== null && !Array.isArray(input);
    return typeof input === 'string' || isMapping ? undefined : rule(input);
  };

/** A name that other places of the file refer to. */
export const name = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/,
    'must be 1 to 63 letters, digits, dots, dashes or underscores, beginning with a letter or digit',
  );

export const text = z.string().min(1, 'must not be empty').max(200, 'must have at most 200 characters');

export const url = (protocols: readonly string[]) => checkedText((value) => urlProblem(value, protocols));

/** One pattern or a list of them. */
export const patterns = oneOrMany(checkedText(jobPatternProblem));

/** Which jobs something is for. */
export const matchFields = {
  source: patterns.describe('Sources: one pattern or a list. * stands for any text.').optional(),
  job_type: patterns.describe('Job types: one pattern or a list. * stands for any text.').optional(),
  target_id: patterns.describe('Target ids: one pattern or a list. * stands for any text.').optional(),
};
