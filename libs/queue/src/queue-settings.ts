import { DEAD_LETTERS, QUEUE_NAMES, type QueueName } from './queue.ts';

/** Postgres schema that pg-boss owns, beside our own `tocsin`. */
export const QUEUE_SCHEMA = 'pgboss';

/** A worker that does not renew its claim for this long is taken for dead. The smallest value pg-boss accepts. */
export const CLAIM_SECONDS = 10;

/** A handler that runs longer than this is aborted and tried again, even though its process is alive. */
const HANDLER_SECONDS_MAX = 120;

/**
 * Attempts before a job goes to the dead letters. With pauses of 60 s it takes five weeks to get there, well inside the
 * retention below, so that a job is never deleted by age while somebody still tries.
 */
const ATTEMPTS_MAX = 50_000;
const RETRY_FIRST_SECONDS = 1;
const RETRY_PAUSE_MAX_SECONDS = 60;
const RETENTION_SECONDS = 90 * 86_400;
const DEAD_LETTER_RETENTION_SECONDS = 3_650 * 86_400;
const KEEP_COMPLETED_SECONDS = 3_600;

export interface QueueSettings {
  readonly name: QueueName | typeof DEAD_LETTERS;
  readonly options: {
    readonly notify: boolean;
    readonly retryLimit: number;
    readonly retryDelay: number;
    readonly retryBackoff: boolean;
    readonly retryDelayMax?: number;
    readonly expireInSeconds: number;
    readonly heartbeatSeconds?: number;
    readonly retentionSeconds: number;
    readonly deleteAfterSeconds: number;
    readonly deadLetter?: string;
  };
}

const deadLetters: QueueSettings = {
  name: DEAD_LETTERS,
  options: {
    notify: false,
    retryLimit: 0,
    retryDelay: 0,
    retryBackoff: false,
    expireInSeconds: HANDLER_SECONDS_MAX,
    retentionSeconds: DEAD_LETTER_RETENTION_SECONDS,
    deleteAfterSeconds: KEEP_COMPLETED_SECONDS,
  },
};

/**
 * The queues as they are to be in the database, dead letters first, because the others refer to it. pg-boss copies these
 * into each job when it is added: a change holds for new jobs only.
 */
export const QUEUE_SETTINGS: readonly QueueSettings[] = [
  deadLetters,
  ...QUEUE_NAMES.map((name) => ({
    name,
    options: {
      notify: true,
      retryLimit: ATTEMPTS_MAX,
      retryDelay: RETRY_FIRST_SECONDS,
      retryBackoff: true,
      retryDelayMax: RETRY_PAUSE_MAX_SECONDS,
      expireInSeconds: HANDLER_SECONDS_MAX,
      heartbeatSeconds: CLAIM_SECONDS,
      retentionSeconds: RETENTION_SECONDS,
      deleteAfterSeconds: KEEP_COMPLETED_SECONDS,
      deadLetter: DEAD_LETTERS,
    },
  })),
];
