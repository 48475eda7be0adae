import { InvariantError } from '@tocsin/runtime';
import type { Queryable } from '@tocsin/runtime';
import { cleanText } from '../jsonb.ts';
import type { ChannelState } from '../store.ts';
import { channelColumns } from './channel-columns.ts';
import { withChannelRow } from './with-channel-row.ts';

/** When the circuit of a channel opens, and for how long. */
export interface Circuit {
  readonly failuresMax: number;
  readonly openMs: number;
  readonly openMaxMs: number;
}

/** The wait is doubled at most so often; by then any `openMaxMs` is reached. */
export const doublingsMax = 30;

const acceptedText = `
update tocsin.channel_states
set
  failures = 0,
  open_until = null,
  opened = 0,
  last_accepted_at = clock_timestamp()
where channel = $1
returning ${channelColumns}`;

// Statement time, which stands still within the statement. A replica that waited for another one's result comes with an
// older time and finds the circuit open: it is opened once.
const failedText = `
update tocsin.channel_states
set
  failures = failures + 1,
  opened = opened
    + case when failures + 1 >= $2 and coalesce(open_until <= statement_timestamp(), true) then 1 else 0 end,
  open_until = case
    when failures + 1 >= $2 and coalesce(open_until <= statement_timestamp(), true)
      then statement_timestamp()
        + least($4::double precision, $3::double precision * power(2, least(opened, ${doublingsMax}))) * interval '1 millisecond'
    else open_until
  end,
  last_failed_at = clock_timestamp()
where channel = $1
returning ${channelColumns}`;

/**
 * Notes how an attempt ended; answers the state after. After `failuresMax` failures in a row the circuit opens for
 * `openMs`. Failures while it is open are counted and change nothing else; the first one after that opens it again, each
 * time for twice as long, up to `openMaxMs`. A success closes it. Both leave a parked channel parked.
 */
export const recordChannelResult = async (
  tx: Queryable,
  channel: string,
  ok: boolean,
  { failuresMax, openMs, openMaxMs }: Circuit,
): Promise<ChannelState> => {
  const name = cleanText(channel);
  const state = ok
    ? await withChannelRow<ChannelState>(tx, acceptedText, [name])
    : await withChannelRow<ChannelState>(tx, failedText, [name, failuresMax, openMs, openMaxMs]);
  if (state === null) throw new InvariantError(`The state of channel ${channel} vanished.`);
  return state;
};
