import type { Queryable } from '@tocsin/runtime';
import { UsageError } from '../usage-error.ts';

/** Fewest characters by which something may be named. */
const idCharactersMin = 4;
/** Most that are looked at to say how many there may be. */
const candidatesMax = 10;

// The primary keys: ids with a common beginning lie side by side.
const texts = {
  silence: 'select id from tocsin.silences where id between $1::uuid and $2::uuid order by id limit $3',
  delivery: 'select id from tocsin.deliveries where id between $1::uuid and $2::uuid order by id limit $3',
} as const;

const lists = { silence: 'silences list --all', delivery: 'deliveries list --state all' } as const;

/**
 * The one id that begins with what was asked for, with or without dashes, in either case.
 *
 * @throws UsageError when it is too short or no beginning of an id, names none or names several
 */
export const requireOne = async (queryable: Queryable, noun: keyof typeof texts, asked: string): Promise<string> => {
  const digits = asked.trim().toLowerCase().replaceAll('-', '');
  if (digits.length < idCharactersMin)
    throw new UsageError(`"${asked}" is too short; give ${idCharactersMin} characters or more.`);
  const none = (): UsageError => new UsageError(`There is no ${noun} "${asked}". See: npx tocsin ${lists[noun]}`);
  if (!/^[0-9a-f]{1,32}$/.test(digits)) throw none();
  const { rows } = await queryable.query<{ readonly id: string }>(texts[noun], [
    digits.padEnd(32, '0'),
    digits.padEnd(32, 'f'),
    candidatesMax,
  ]);
  const [only] = rows;
  if (only === undefined) throw none();
  if (rows.length > 1) {
    const many = rows.length === candidatesMax ? `${candidatesMax} of them or more` : `${rows.length} of them`;
    throw new UsageError(`"${asked}" may be ${many}; give more characters.`);
  }
  return only.id;
};
