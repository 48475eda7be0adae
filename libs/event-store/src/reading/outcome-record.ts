import type { AlertId, Instant, OutcomeId } from '@tocsin/alert-model';
import { instantText } from '../instant.ts';

/** What is known of one outcome, whether or not an alert has it. */
export interface OutcomeRecord {
  readonly id: OutcomeId;
  readonly table: string;
  readonly jobId: string;
  readonly kind: string;
  readonly failedAt: Instant;
  readonly signalledAt: Instant;
  readonly alertId: AlertId | null;
  /** Null until somebody has dealt with it: the outcome is unaccounted. */
  readonly disposition: 'recorded' | 'ignored' | 'quarantined' | 'held' | null;
  readonly recordedAt: Instant | null;
}

/** The columns that make an {@link OutcomeRecord}. */
export const outcomeRecordColumns = `
  outcomes.id,
  outcomes.job_table as "table",
  outcomes.job_id as "jobId",
  outcomes.kind,
  ${instantText('outcomes.failed_at')} as "failedAt",
  ${instantText('outcomes.signalled_at')} as "signalledAt",
  outcomes.alert_id as "alertId",
  outcomes.disposition,
  ${instantText('outcomes.recorded_at')} as "recordedAt"`;
