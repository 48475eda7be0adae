import { nameCharsMax } from '@tocsin/alert-model';
import type { ValueType } from './column-types.ts';
import { hasTimeZone } from './column-types.ts';

/** Characters of a job's error that are read; more than is kept, because redaction shortens. */
export const errorReadCharsMax = 4_000;
/** Characters of a detail that are read. */
const detailReadCharsMax = 1_000;
/** Characters of a payload that is not jsonb in which the run's id is looked for. */
const payloadReadCharsMax = 200_000;
/** A shortened name: its beginning, `~` and 32 hexadecimal digits that keep different names different. */
const nameHeadCharsMax = nameCharsMax - 33;

const microseconds = `'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'`;

/** Times outside are no times of jobs: `infinity`, years before Christ, epoch zero of a broken clock's calendar. */
const usable = (expression: string): string => `${expression} >= '1970-01-01' and ${expression} < '9999-12-31'`;

/** A timestamptz as UTC text of fixed width with microseconds; null when it is no usable time. */
export const utcText = (expression: string): string =>
  `case when ${usable(expression)} then to_char(${expression} at time zone 'UTC', ${microseconds}) end`;

/** The same for a column, with or without time zone; without one it is taken as UTC. */
export const instantText = (reference: string, column: ValueType): string =>
  hasTimeZone(column)
    ? utcText(reference)
    : `case when ${usable(reference)} then to_char(${reference}, ${microseconds}) end`;

/** The same for identities: a value that is no usable time still tells outcomes apart, as Postgres writes it. */
export const identityText = (reference: string, column: ValueType): string =>
  `coalesce(${instantText(reference, column)}, ${reference}::text)`;

/** A column as timestamptz; without time zone it is taken as UTC. */
export const asTimestamptz = (reference: string, column: ValueType): string =>
  hasTimeZone(column) ? reference : `(${reference} at time zone 'UTC')`;

/** A timestamptz parameter as the type of the column, so that the bare column is compared and its index serves. */
export const asColumnTime = (parameter: string, column: ValueType): string =>
  hasTimeZone(column) ? `${parameter}::timestamptz` : `(${parameter}::timestamptz at time zone 'UTC')`;

/**
 * A time of the column as text that reads back as the very same value, whatever the session's DateStyle and TimeZone:
 * in the styles SQL and German, Postgres writes zones by abbreviations that mean another zone elsewhere (IST).
 */
export const positionText = (reference: string, column: ValueType): string => {
  const utc = hasTimeZone(column) ? `${reference} at time zone 'UTC'` : reference;
  const zone = hasTimeZone(column) ? '+00' : '';
  return `case when isfinite(${reference}) then to_char(${utc}, 'YYYY-MM-DD HH24:MI:SS.US${zone} BC') else ${reference}::text end`;
};

/** Text of any length as a name of at most `nameCharsMax` characters; a shortened one carries its digest. */
export const nameText = (expression: string): string =>
  // "offset 0" keeps the planner from writing the expression out three times; a payload may be large.
  `(select case when char_length(whole.name) <= ${nameCharsMax} then whole.name ` +
  `else left(whole.name, ${nameHeadCharsMax}) || '~' || md5(whole.name) end from (select (${expression})::text as name offset 0) as whole)`;

/** The beginning of a text of any length; longer than what is kept of it, because redaction must see whole secrets. */
export const detailText = (expression: string): string => `left((${expression})::text, ${detailReadCharsMax})`;

/**
 * The value of a text key in a payload, null when there is none. A jsonb value is asked directly. Other types are
 * searched as text, because json and text may hold what the operators refuse (`\u0000`, half a surrogate pair), and one
 * such row would fail the whole statement.
 */
export const payloadText = (reference: string, column: ValueType, key: string): string =>
  column.type === 'jsonb'
    ? `case when jsonb_typeof(${reference}) = 'object' then ${reference} ->> '${key}' end`
    : `substring(left(${reference}::text, ${payloadReadCharsMax}) from '"${key}"\\s*:\\s*"([^"\\\\]{1,255})"')`;

/**
 * The error, never more of it than `errorReadCharsMax`: a 10 MB text does not cross the wire. Of a longer one beginning
 * and end are kept, because a Python traceback names its cause last.
 */
export const errorText = (reference: string): string =>
  `(select case when length(whole.text) <= ${errorReadCharsMax} then whole.text
    else left(whole.text, ${errorReadCharsMax - errorTailCharsMax}) || E'\\n…\\n' || right(whole.text, ${errorTailCharsMax}) end
    from (select ${reference}::text as text offset 0) as whole)`;

const errorTailCharsMax = 1_500;
