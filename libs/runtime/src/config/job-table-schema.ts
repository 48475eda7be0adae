import { z } from 'zod';
import { columnProblem, parseColumn } from './column-choice.ts';
import type { ColumnChoice, JobFieldName } from './config.ts';
import { DURATION_BOUNDS, POSTGRES_PROTOCOLS } from './setting-rules.ts';
import { checkedText, count, duration, ENTRIES_MAX, name, text, unlessTextOrMapping, url } from './setting-schemas.ts';

/** Most rows one statement may read. */
const BATCH_ROWS_MAX = 10_000;

const written = checkedText(columnProblem).transform((text): ColumnChoice => parseColumn(text));

/** A column or a path, or the same text for every row. */
const columnOrValue = z.union(
  [
    written,
    z
      .strictObject({ value: text.describe('The same text for every row.') })
      .transform((choice): ColumnChoice => choice),
  ],
  { error: unlessTextOrMapping(() => 'must be a column, or { value: … } with a text in quotes') },
);

/** Fields that may be the same for all rows of a table: those that say whose job it is. */
const CONSTANT_FIELDS: readonly JobFieldName[] = ['source', 'job_type', 'target_id'];

/** What each field of a job is, for the description of the file. */
const JOB_FIELDS: Readonly<Record<JobFieldName, string>> = {
  id: 'What identifies the row',
  source: 'Whose work it is',
  job_type: 'What kind of job it is',
  target_id: 'What it works on',
  status: 'What it is doing',
  attempts: 'How often it was tried',
  max_attempts: 'How often it may be tried',
  payload: 'Its input, a JSON column',
  error: 'Why it failed',
  run: 'Id of the chain run',
  due_at: 'When it may be picked up',
  started_at: 'When it began',
  heartbeat_at: 'Last heartbeat',
  finished_at: 'When it ended',
  created_at: 'When it was enqueued',
  updated_at: 'Last change of any kind',
  failed_count: 'How many parts of it failed',
  total_count: 'How many parts it has',
  stage: 'What it is at',
  progress: 'How far it is',
  checkpoint: 'What a restart goes on from',
};

/** A field that differs from row to row. */
const column = columnOrValue.superRefine((choice, context) => {
  if ('value' in choice) {
    context.addIssue(`must be a column; only ${CONSTANT_FIELDS.join(', ')} may be the same for every row`);
  }
});

const columns = z.strictObject(
  Object.fromEntries(
    Object.entries(JOB_FIELDS).map(([field, meaning]) => {
      const constant = CONSTANT_FIELDS.some((known) => known === field);
      const where = constant ? 'a column, a path into a JSON column, or { value: … }' : 'a column, or a path into one';
      return [field, (constant ? columnOrValue : column).describe(`${meaning}: ${where}.`).optional()];
    }),
  ) as Record<JobFieldName, z.ZodOptional<typeof columnOrValue>>,
);

const statusValues = (meaning: string) =>
  z
    .union([text, z.array(text).max(ENTRIES_MAX, `must have at most ${ENTRIES_MAX} entries`)])
    .transform((value): readonly string[] => (typeof value === 'string' ? [value] : value))
    .describe(`Values of the status column that mean: ${meaning}. One or a list.`)
    .default([]);

const states = z
  .strictObject({
    waiting: statusValues('it waits to be picked up, for the first time or again'),
    running: statusValues('it runs'),
    failed: statusValues('it failed; for good when its attempts are used up, or when the table counts none'),
    dead: statusValues('it failed for good, whatever the counters say'),
    succeeded: statusValues('it succeeded'),
    canceled: statusValues('somebody called it off'),
  })
  .superRefine((meanings, context) => {
    if (context.issues.length > 0) return;
    const first = new Map<string, string>();
    for (const [meaning, values] of Object.entries(meanings)) {
      for (const value of values) {
        const earlier = first.get(value);
        if (earlier !== undefined) {
          context.addIssue({
            code: 'custom',
            path: [meaning],
            message: `names ${JSON.stringify(value)}, which is in ${earlier} already; each status has one meaning`,
          });
        }
        first.set(value, meaning);
      }
    }
    if (first.size === 0) context.addIssue('names no status; leave it out');
  });

/** Most further fields of one table. */
const DETAILS_MAX = 20;
/** Longest name of a further field: Sentry's limit for the key of a tag. */
const DETAIL_NAME_CHARACTERS_MAX = 32;
/** Names that mean something else where details are shown. */
const TAKEN_NAMES: readonly string[] = ['source', 'job_type', 'target_id', 'kind', 'reason'];

const detailName = checkedText((detail) => {
  if (!new RegExp(`^[A-Za-z][A-Za-z0-9_]{0,${DETAIL_NAME_CHARACTERS_MAX - 1}}$`).test(detail)) {
    return `must be 1 to ${DETAIL_NAME_CHARACTERS_MAX} letters, digits or underscores, beginning with a letter`;
  }
  return TAKEN_NAMES.includes(detail) ? 'means something already; choose another name' : undefined;
});

const details = z.record(detailName, columnOrValue).superRefine((fields, context) => {
  if (Object.keys(fields).length > DETAILS_MAX) context.addIssue(`must have at most ${DETAILS_MAX} entries`);
});

/** One entry of `jobs`. */
export const jobTable = z.strictObject({
  name: name.describe(
    'Unique name of this table. It is part of the identity of every outcome, so do not change it later.',
  ),
  table: z
    .string()
    .regex(/^[A-Za-z_][\w$]*\.[A-Za-z_][\w$]*$/, 'must be the table with its schema, such as public.research_jobs')
    .describe('The table with its schema, such as public.research_jobs.'),
  adapter: name
    .describe('Which mapping reads the table; custom: the one under columns and states.')
    .default('research_jobs'),
  database_url: url(POSTGRES_PROTOCOLS)
    .describe('Database of the table. Default: JOBS_DATABASE_URL, else DATABASE_URL.')
    .optional(),
  janitor_database_url: url(POSTGRES_PROTOCOLS)
    .describe(
      'The same database for the janitor, whose role may update the table. Default: JANITOR_DATABASE_URL for tables without a database_url of their own.',
    )
    .optional(),
  columns: columns
    .describe('Where the table differs from its adapter: by field the column that holds it. For custom all it has.')
    .default({}),
  details: details
    .describe(
      'Further fields for channels that show them (Sentry): by name a column, a path into one, or { value: … }.',
    )
    .default({}),
  states: states
    .describe('What the values of the status column mean. Replaces all of those of the adapter.')
    .optional(),
  retention: duration(DURATION_BOUNDS.tableRetention)
    .describe('How soon finished rows are deleted by others. Default: what is known of the job system.')
    .optional(),
  poll: duration(DURATION_BOUNDS.poll).describe('Pause between two looks at the table.').prefault('2s'),
  reconcile: duration(DURATION_BOUNDS.reconcile)
    .describe('Pause between two full comparisons of terminal rows with recorded outcomes.')
    .prefault('1m'),
  look_back: duration(DURATION_BOUNDS.lookBack).describe('How far back terminal rows are looked at.').prefault('14d'),
  batch: count(1, BATCH_ROWS_MAX).describe('Rows read by one statement.').default(500),
});
