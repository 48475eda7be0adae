import type { AdapterMapping } from '../adapter-mapping.ts';

/** Characters of a handler in which class and method are looked for; arguments may follow by the megabyte. */
const handlerSearchedChars = 100_000;

const handler = `left({handler}, ${handlerSearchedChars})`;
const found = (pattern: string): string => `substring(${handler} from '${pattern}')`;

/**
 * Class of a job out of the YAML of its handler. It is only searched, never parsed; what it is like is said by the first
 * line: an Active Job in its wrapper, a method call (`user.delay.invite`, told as `User#invite`), or an object of its own.
 */
const jobType = `case
  when {handler} like '--- !ruby/object:ActiveJob::QueueAdapters::DelayedJobAdapter::JobWrapper%'
    then ${found(String.raw`\n  job_class: ["'']?([A-Za-z0-9_:]+)`)}
  when {handler} like '--- !ruby/object:Delayed::Performable%'
    then ${found(String.raw`\nobject: !ruby/[A-Za-z]+[: ]["'']?([A-Za-z0-9_:]+)`)}
      || case when ${handler} ~ '\nobject: !ruby/(class|module) ' then '.' else '#' end
      || ${found(String.raw`\nmethod_name: :?["'']?([^[:space:]"'']+)`)}
  else ${found('^--- !ruby/[A-Za-z]+:([^[:space:]]+)')}
end`;

/**
 * Delayed Job 4 (Ruby): rows live as long as their job does. By default a job that failed for good is deleted just like
 * one that succeeded, so failures can be seen only with `Delayed::Worker.destroy_failed_jobs = false`.
 */
export const delayedJobMapping: AdapterMapping = {
  adapter: 'delayed_job',
  title: 'Delayed Job',
  defaultTable: 'public.delayed_jobs',
  relations: [],
  fields: {
    id: { column: 'id', use: 'key', required: true },
    source: { sql: `coalesce({queue}, 'default')`, use: 'text', required: true },
    jobType: { sql: `coalesce(${jobType}, '(unknown handler)')`, use: 'text', required: true },
    status: {
      sql: `case
        when {failed_at} is not null then 'failed'
        when {locked_at} is not null then 'locked'
        when {attempts} > 0 then 'errored'
        else 'queued'
      end`,
      use: 'text',
      required: false,
    },
    attempts: { column: 'attempts', use: 'count', required: false },
    error: { column: 'last_error', use: 'anything', required: false },
    dueAt: { column: 'run_at', use: 'instant', required: true },
    startedAt: { column: 'locked_at', use: 'instant', required: true },
    finishedAt: { column: 'failed_at', use: 'instant', required: true },
    createdAt: { column: 'created_at', use: 'instant', required: false },
    changedAt: { column: 'failed_at', use: 'instant', required: true },
  },
  states: {
    waiting: { sql: '{failed_at} is null and {locked_at} is null' },
    running: { sql: '{failed_at} is null and {locked_at} is not null' },
    failed: { sql: '{failed_at} is not null' },
    dead: [],
    succeeded: [],
    canceled: [],
  },
  failedForGood: 'true',
  runKey: null,
  identityTimes: ['finishedAt'],
  indexes: [
    {
      purpose: 'finding new failures',
      nameSuffix: 'failures',
      fields: ['finishedAt', 'id'],
      key: '{finishedAt}, {id}',
      where: '{finishedAt} is not null',
      leading: 1,
    },
    {
      purpose: 'looking after waiting and running jobs',
      nameSuffix: 'open',
      fields: ['dueAt', 'finishedAt'],
      key: '{dueAt}',
      where: '{finishedAt} is null',
      leading: 1,
    },
  ],
  version: null,
  retention: {
    failuresMs: 0,
    words:
      'By default a job that failed for good is deleted at once, and Tocsin cannot see it: set ' +
      'Delayed::Worker.destroy_failed_jobs = false. Successes are always deleted at once.',
  },
  deletesSuccesses: true,
  reads: [],
  traps: [
    'By default a job that fails for good is deleted like one that succeeds; it must be kept with destroy_failed_jobs = false.',
    'A failed job keeps its lock until its worker stops: failed_at decides, not locked_at.',
    'A handler that cannot be loaded fails for good at the first try, with attempts = 0.',
    'The class of a job is only in the YAML of its handler.',
    'A success deletes the row, so a row that is gone may be one.',
  ],
};
