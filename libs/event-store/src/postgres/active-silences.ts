import type { Queryable } from '@tocsin/runtime';
import type { Silence } from '../store.ts';
import { silenceColumns } from './silence-columns.ts';

/** Most silences that hold at once; further ones, the latest begun, mute nothing. */
export const silencesMax = 1_000;

// Index silences_open. One whose time is over mutes nothing more, although nobody has ended it yet.
export const activeSilencesText = `
select ${silenceColumns}
from tocsin.silences
where ended_at is null
  and starts_at <= statement_timestamp()
  and (ends_at is null or ends_at > statement_timestamp())
order by silences.starts_at, silences.id
limit $1`;

/** Silences that hold now, the first begun first, at most {@link silencesMax}. */
export const activeSilences = async (tx: Queryable): Promise<readonly Silence[]> =>
  (await tx.query<Silence>(activeSilencesText, [silencesMax])).rows;
