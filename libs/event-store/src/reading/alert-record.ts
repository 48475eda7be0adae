import type { AlertId, Instant, LifecycleState, NextAction, ResolutionReason, Severity } from '@tocsin/alert-model';
import { instantText } from '../instant.ts';

/** An alert as lists show it: the columns of `tocsin.alerts`. */
export interface AlertRecord {
  readonly id: AlertId;
  readonly key: string;
  readonly state: LifecycleState;
  readonly severity: Severity;
  readonly source: string;
  readonly jobType: string;
  readonly targetId: string | null;
  readonly chain: string | null;
  readonly title: string;
  readonly occurrences: number;
  readonly escalationLevel: number;
  readonly predecessorId: AlertId | null;
  readonly openedAt: Instant;
  readonly firstFailedAt: Instant;
  readonly lastFailedAt: Instant;
  readonly notifiedAt: Instant | null;
  readonly acknowledgedAt: Instant | null;
  readonly acknowledgedBy: string | null;
  readonly resolvedAt: Instant | null;
  readonly resolution: ResolutionReason | null;
  /** What happens to it next by itself, and when; null in a row of an older model. */
  readonly nextAction: NextAction['action'] | null;
  readonly nextActionAt: Instant | null;
  /** Whether a silence mutes it. */
  readonly silenced: boolean;
  readonly version: number;
}

/** The columns that make an {@link AlertRecord}. */
export const alertRecordColumns = `
  alerts.id,
  alerts.key,
  alerts.state,
  alerts.severity,
  alerts.source,
  alerts.job_type as "jobType",
  alerts.target_id as "targetId",
  alerts.chain,
  alerts.title,
  alerts.occurrences,
  alerts.escalation_level as "escalationLevel",
  alerts.predecessor_id as "predecessorId",
  ${instantText('alerts.opened_at')} as "openedAt",
  ${instantText('alerts.first_failed_at')} as "firstFailedAt",
  ${instantText('alerts.last_failed_at')} as "lastFailedAt",
  ${instantText('alerts.notified_at')} as "notifiedAt",
  ${instantText('alerts.acknowledged_at')} as "acknowledgedAt",
  alerts.acknowledged_by as "acknowledgedBy",
  ${instantText('alerts.resolved_at')} as "resolvedAt",
  alerts.resolution,
  alerts.next_action as "nextAction",
  ${instantText('alerts.next_action_at')} as "nextActionAt",
  alerts.silenced,
  alerts.version`;
