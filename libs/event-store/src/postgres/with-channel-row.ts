import type { Queryable } from '@tocsin/runtime';

const insertText = `
insert into tocsin.channel_states (channel)
values ($1)
on conflict (channel) do nothing`;

/**
 * Runs a statement that changes the row of a channel and returns something of it, if need be after making the row. $1 of
 * the statement is the channel. Null when the statement returns nothing although the row is there.
 */
export const withChannelRow = async <Row>(
  tx: Queryable,
  text: string,
  values: readonly [channel: string, ...others: readonly unknown[]],
): Promise<Row | null> => {
  const first = (await tx.query<Row & Record<string, unknown>>(text, [...values])).rows[0];
  if (first !== undefined) return first;
  await tx.query(insertText, [values[0]]);
  return (await tx.query<Row & Record<string, unknown>>(text, [...values])).rows[0] ?? null;
};
