import { TocsinError } from '@tocsin/runtime';
import type { QueueName } from './queue.ts';

const IDS_SHOWN_MAX = 5;

/**
 * Another attempt has the job now (this one was too slow, or its process was taken for dead), or it is done already.
 * What the transaction has written must not be committed. Not a failure of the job: the newer attempt does the work.
 */
export class LostClaimError extends TocsinError {
  constructor(queue: QueueName, jobIds: readonly string[], held: number) {
    const shown = jobIds.slice(0, IDS_SHOWN_MAX).join(', ') + (jobIds.length > IDS_SHOWN_MAX ? ', …' : '');
    super(
      'LOST_CLAIM',
      `${jobIds.length - held} of ${jobIds.length} jobs of queue ${queue} are no longer held by this attempt ` +
        `(${shown}); the transaction is to be rolled back, a newer attempt does the work.`,
    );
    this.name = 'LostClaimError';
  }
}

/** The queue's tables are missing or of another version than this program can work with. Nothing was started. */
export class QueueNotUnderstoodError extends TocsinError {
  constructor(message: string, options?: ErrorOptions) {
    super('QUEUE_NOT_UNDERSTOOD', message, options);
    this.name = 'QueueNotUnderstoodError';
  }
}
