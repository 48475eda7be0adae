import type { EventNamed } from '@tocsin/alert-model';
import { formatDuration } from '@tocsin/runtime';
import { counted } from './lines.ts';

/**
 * Why a digest is the message of a storm: `51 new alerts or more within 5 min, of apple alone`. Counting stops where it is
 * known to be a storm; a digest that only follows one has no count.
 */
export const stormText = ({
  keys,
  withinMs,
  source,
}: Pick<NonNullable<EventNamed<'DigestOpened'>['data']['storm']>, 'keys' | 'withinMs' | 'source'>): string =>
  keys === 0
    ? 'what became of alerts of a storm'
    : `${counted(keys, 'new alert')} or more within ${formatDuration(withinMs)}${source === null ? '' : `, of ${source} alone`}`;
