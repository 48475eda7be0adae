import { TocsinError } from '@tocsin/runtime';
import type { Queryable } from '@tocsin/runtime';
import { cleanText } from '../jsonb.ts';
import { alertRecordColumns } from './alert-record.ts';
import type { AlertRecord } from './alert-record.ts';

/** Fewest characters of an alert's id that are taken for one. */
export const idPrefixCharsMin = 4;
/** Most candidates that the error of an ambiguous id names. */
export const candidatesMax = 10;

/** Several alerts have ids that begin like that. */
export class AmbiguousAlert extends TocsinError {
  /** Up to {@link candidatesMax} of them, in id order. */
  readonly candidates: readonly AlertRecord[];

  constructor(prefix: string, candidates: readonly AlertRecord[]) {
    const names = candidates.map((alert) => `  ${alert.id}  ${alert.state}  ${alert.key}`);
    super(
      'ALERT_AMBIGUOUS',
      [`Several alerts have an id that begins with ${prefix}; give more of it:`, ...names].join('\n'),
    );
    this.name = 'AmbiguousAlert';
    this.candidates = candidates;
  }
}

// Indexes alerts_open_key and alerts_resolved_by_key. The open alert before any resolved one, then the one opened last.
export const alertByKeyText = `
select ${alertRecordColumns}
from tocsin.alerts
where (alerts.key = $1 and alerts.state <> 'resolved') or (alerts.key = $1 and alerts.state = 'resolved')
order by (alerts.state = 'resolved'), alerts.opened_at desc, alerts.id desc
limit 1`;

// The primary key: ids with a common beginning lie side by side.
const byIdText = `
select ${alertRecordColumns}
from tocsin.alerts
where alerts.id between $1::uuid and $2::uuid
order by alerts.id
limit $3`;

/**
 * The alert a person means: by the exact key (its open alert, else the one opened last), or by the beginning of its id,
 * with or without dashes, in either case. Null when there is none.
 *
 * @throws AmbiguousAlert when several ids begin like that.
 */
export const findAlert = async (queryable: Queryable, idPrefixOrKey: string): Promise<AlertRecord | null> => {
  const byKey = (await queryable.query<AlertRecord>(alertByKeyText, [cleanText(idPrefixOrKey)])).rows[0];
  if (byKey !== undefined) return byKey;
  const digits = idPrefixOrKey.toLowerCase().replaceAll('-', '');
  if (digits.length < idPrefixCharsMin || !/^[0-9a-f]{1,32}$/.test(digits)) return null;
  const { rows } = await queryable.query<AlertRecord>(byIdText, [
    digits.padEnd(32, '0'),
    digits.padEnd(32, 'f'),
    candidatesMax,
  ]);
  if (rows.length > 1) throw new AmbiguousAlert(idPrefixOrKey, rows);
  return rows[0] ?? null;
};
