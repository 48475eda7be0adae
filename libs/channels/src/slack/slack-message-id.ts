/** One message in Slack. */
export interface SlackMessageId {
  /** `C024BE91L`; never a name. */
  readonly channel: string;
  /** `1700000000.123456`: its time, and its identity within the channel. */
  readonly ts: string;
}

/** The identity as the ledger keeps it, `C024BE91L:1700000000.123456`; null when an answer holds none. */
export const messageId = (answer: Readonly<Record<string, unknown>>): string | null => {
  const { channel, ts } = answer;
  const id = typeof channel === 'string' && typeof ts === 'string' ? `${channel}:${ts}` : null;
  return parseMessageId(id) === null ? null : id;
};

/** Reads what `messageId` wrote; null for anything else, such as the identity another provider gave. */
export const parseMessageId = (text: string | null): SlackMessageId | null => {
  const match = /^([A-Z0-9]{2,30}):(\d{1,15}\.\d{1,10})$/.exec(text ?? '');
  return match === null || match[1] === undefined || match[2] === undefined
    ? null
    : { channel: match[1], ts: match[2] };
};
