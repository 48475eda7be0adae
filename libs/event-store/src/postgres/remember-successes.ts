import type { SuccessSignal } from '@tocsin/alert-model';
import type { Queryable } from '@tocsin/runtime';
import { chunks } from '../chunks.ts';
import { cleanText, toJsonb } from '../jsonb.ts';

/** A success of work, under a key that an alert about this work has or would have. */
export interface KeyedSuccess {
  readonly key: string;
  readonly signal: SuccessSignal;
}

const text = `
insert into tocsin.recent_successes (id, key, finished_at, signal)
select
  (success.signal ->> 'outcomeId')::uuid,
  success.key,
  (success.signal ->> 'finishedAt')::timestamptz,
  success.signal
from jsonb_to_recordset($1::jsonb) as success (
  key text,
  signal jsonb
)
order by success.key, success.signal ->> 'outcomeId'
on conflict (id, key) do nothing`;

/** Remembers successes for failures that may arrive after them. Doing it again changes nothing. */
export const rememberSuccesses = async (tx: Queryable, successes: readonly KeyedSuccess[]): Promise<void> => {
  for (const rows of chunks(inOrder(successes))) await tx.query(text, [toJsonb(rows)]);
};

/** The same order in every transaction, over all its statements, so that two of them never deadlock. */
const inOrder = (successes: readonly KeyedSuccess[]) =>
  successes
    .map((success) => ({ ...success, order: `${cleanText(success.key)}\n${success.signal.outcomeId}` }))
    .sort((a, b) => (a.order < b.order ? -1 : 1))
    .map(({ key, signal }) => ({ key, signal }));
