import { TocsinError } from '@tocsin/runtime';

/**
 * A place in the whole log. Both numbers are needed: a transaction that began earlier may hold the higher positions.
 * Written as `transaction:position`, `7421:10093`.
 */
export interface GlobalCursor {
  /** An xid8, unsigned 64 bits, in decimal; kept as text because it may exceed what a number holds. */
  readonly transactionId: string;
  readonly position: number;
}

/** The text of a cursor, to keep or to show. */
export const formatGlobalCursor = (cursor: GlobalCursor): string => `${cursor.transactionId}:${cursor.position}`;

const cursorPattern = /^(0|[1-9]\d{0,19}):(0|[1-9]\d{0,15})$/;

/** Reads what {@link formatGlobalCursor} writes. @throws TocsinError `CURSOR_INVALID` for any other text. */
export const parseGlobalCursor = (text: string): GlobalCursor => {
  const [, transactionId, position] = cursorPattern.exec(text) ?? [];
  if (transactionId === undefined || BigInt(transactionId) >= 2n ** 64n || !Number.isSafeInteger(Number(position)))
    throw new TocsinError(
      'CURSOR_INVALID',
      `${JSON.stringify(text)} is no place in the log; write it as transaction:position, such as 7421:10093.`,
    );
  return { transactionId, position: Number(position) };
};
