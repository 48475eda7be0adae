import { findAlert } from '@tocsin/event-store';
import type { AlertRecord } from '@tocsin/event-store';
import { TocsinError } from '@tocsin/runtime';
import type { Queryable } from '@tocsin/runtime';
import { UsageError } from '../usage-error.ts';

const idCharsMin = 4;

/**
 * The alert that a person names by the beginning of its id or by its key.
 *
 * @throws UsageError when the beginning is too short to look for; TocsinError `NO_ALERT` when there is none, or
 *   `ALERT_AMBIGUOUS` when there are several
 */
export const requireAlert = async (queryable: Queryable, idOrKey: string): Promise<AlertRecord> => {
  const found = await findAlert(queryable, idOrKey);
  if (found !== null) return found;
  if (/^[0-9a-f]+$/i.test(idOrKey) && idOrKey.length < idCharsMin)
    throw new UsageError(`${idOrKey} is too short for an id; give at least ${idCharsMin} characters.`);
  throw new TocsinError(
    'NO_ALERT',
    `There is no alert with the id or key ${idOrKey}. See: npx tocsin alerts list --all`,
  );
};
