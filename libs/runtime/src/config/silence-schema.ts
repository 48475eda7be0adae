import { z } from 'zod';
import { KINDS, SEVERITIES } from './rule-schema.ts';
import { checkedText, matchFields, name, oneOrMany, text } from './setting-schemas.ts';

const zoned = z.iso.datetime({ offset: true });

/** What is wrong with an instant, and the cure, or undefined. A time without an offset is refused: nobody knows whose it is. */
export function instantProblem(written: string): string | undefined {
  // Seconds may be left out, as everywhere; RFC 3339 alone wants them.
  return zoned.safeParse(written.replace(/(T\d\d:\d\d)(?=Z|[+-]\d\d:\d\d$)/, '$1:00')).success
    ? undefined
    : 'must be a time with its offset from UTC, such as 2026-03-02T09:00:00Z or 2026-03-02T10:00:00+01:00';
}

const instant = checkedText(instantProblem).transform((written) =>
  // After a breach the text is still given.
  instantProblem(written) === undefined ? new Date(written).toISOString() : written,
);

/** One entry of `silences`. */
export const silence = z
  .strictObject({
    name: name.describe('Unique name of the silence.'),
    match: z
      .strictObject({
        ...matchFields,
        severity: oneOrMany(z.enum(SEVERITIES)).describe('Severities: one or a list.').optional(),
        kind: oneOrMany(z.enum(KINDS)).describe('What is wrong with the job: one kind or a list.').optional(),
      })
      .describe('Which alerts nobody is told of. A field left out matches everything.'),
    from: instant.describe('When it begins, such as 2026-03-02T09:00:00Z. Default: at once.').optional(),
    until: instant.describe('When it ends, such as 2026-03-02T17:00:00Z.'),
    reason: text.describe('Why; shown by explain and in the message when it is over.').optional(),
  })
  .superRefine(({ from, until }, context) => {
    if (context.issues.length > 0 || from === undefined || from < until) return;
    context.addIssue({ code: 'custom', path: ['until'], message: 'must be later than from' });
  });
