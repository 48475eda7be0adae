/** Identity of a failure as selected; timestamps are UTC text of fixed width. */
export interface IdentityRow {
  readonly id: string;
  /** Change time exactly as the server writes it, for paging; null when the row has none. */
  readonly changed: string | null;
  readonly kind: 'failed' | 'dead' | 'partial';
  readonly attempts: number | string | null;
  readonly identity_at: string | null;
}

/**
 * What a failure is recognised by when it is read again: all that its outcome id is made of besides the table, without
 * the price of hashing it.
 */
export const rowKey = ({ id, kind, attempts, identity_at }: IdentityRow): string =>
  `${kind} ${attempts} ${identity_at} ${id}`;

/** What a failure can be told from even when none of its texts can be read. */
export interface BareFailureRow extends IdentityRow {
  readonly changed_at: string | null;
  readonly finished_at: string | null;
  readonly started_at: string | null;
  readonly created_at: string | null;
  /** No end time at all, as opposed to one that is no usable time. */
  readonly unfinished: boolean;
  readonly max_attempts: number | string | null;
  /** Only of kind `partial`. */
  readonly failed_count?: number | string | null;
  readonly total_count?: number | string | null;
}

/** A failure as selected. */
export interface FailureRow extends BareFailureRow {
  readonly source: string | null;
  readonly job_type: string | null;
  readonly target_id: string | null;
  readonly error: string | null;
  readonly run: string | null;
  /** Only where the table has them. */
  readonly stage?: string | null;
  readonly progress?: string | null;
  readonly heartbeat_at?: string | null;
  readonly counted_failed?: number | string | null;
  readonly counted_total?: number | string | null;
  /** A JSON object of texts. */
  readonly details?: string | null;
}

/** Time and running writers, in every row of a page; alone in it when the page is empty. */
export interface HorizonRow {
  readonly read_at: string;
  readonly oldest_writer_at: string | null;
}
