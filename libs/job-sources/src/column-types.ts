import type { ColumnUse } from './adapter-mapping.ts';

/** Type of a value, domains resolved to what they are made of. */
export interface ValueType {
  /** `format_type` without modifiers: `uuid`, `character varying`, `app.job_status`. Safe to write into a statement. */
  readonly type: string;
  /** pg_type.typcategory: S text, N number, E enum, D date and time, U other. */
  readonly category: string;
  readonly enumLabels: readonly string[] | null;
}

/** A column as the catalogue describes it. */
export interface CatalogColumn extends ValueType {
  readonly name: string;
  readonly selectable: boolean;
}

export const textType: ValueType = { type: 'text', category: 'S', enumLabels: null };
export const bigintType: ValueType = { type: 'bigint', category: 'N', enumLabels: null };

const documentTypes = ['jsonb', 'json'];
const instantTypes = ['timestamp with time zone', 'timestamp without time zone'];
const countTypes = ['smallint', 'integer', 'bigint'];
const keyTypes = [...countTypes, 'uuid'];

const accepted: Readonly<Record<ColumnUse, { readonly fits: (column: ValueType) => boolean; readonly words: string }>> =
  {
    key: {
      fits: ({ type, category }) => category === 'S' || keyTypes.includes(type),
      words: 'uuid, bigint, integer or text',
    },
    text: { fits: ({ type, category }) => 'SE'.includes(category) || keyTypes.includes(type), words: 'text' },
    state: { fits: ({ category }) => 'SE'.includes(category), words: 'text or an enum' },
    count: { fits: ({ type }) => countTypes.includes(type), words: 'integer or bigint' },
    instant: { fits: ({ type }) => instantTypes.includes(type), words: 'timestamptz, or timestamp in UTC' },
    document: {
      fits: ({ type, category }) => category === 'S' || documentTypes.includes(type),
      words: 'jsonb, json or text',
    },
    anything: { fits: () => true, words: 'any type' },
  };

/** Null when a column of that type can be used so, else the types that could be. */
export const typeProblem = (column: ValueType, use: ColumnUse): string | null =>
  accepted[use].fits(column) ? null : accepted[use].words;

/** Whether keys can be looked up below values of that type. */
export const holdsDocument = ({ type }: ValueType): boolean => documentTypes.includes(type);

/** Whether values compare as text without a cast, so that an index on the column serves the comparison. */
export const comparesAsText = (column: ValueType): boolean => column.category === 'S';

export const hasTimeZone = (column: ValueType): boolean => column.type === 'timestamp with time zone';
