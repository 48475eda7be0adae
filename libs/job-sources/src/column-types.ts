import type { ColumnUse } from './adapter-mapping.ts';

/** A column as the catalogue describes it, domains resolved to what they are made of. */
export interface CatalogColumn {
  readonly name: string;
  /** `format_type` without modifiers: `uuid`, `character varying`, `app.job_status`. Safe to write into a statement. */
  readonly type: string;
  /** pg_type.typcategory: S text, N number, E enum, D date and time, U other. */
  readonly category: string;
  readonly enumLabels: readonly string[] | null;
  readonly selectable: boolean;
}

const documentTypes = ['jsonb', 'json'];
const instantTypes = ['timestamp with time zone', 'timestamp without time zone'];
const countTypes = ['smallint', 'integer', 'bigint'];
const keyTypes = [...countTypes, 'uuid'];

const accepted: Readonly<
  Record<ColumnUse, { readonly fits: (column: CatalogColumn) => boolean; readonly words: string }>
> = {
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
export const typeProblem = (column: CatalogColumn, use: ColumnUse): string | null =>
  accepted[use].fits(column) ? null : accepted[use].words;

/** Whether values compare as text without a cast, so that an index on the column serves the comparison. */
export const comparesAsText = (column: CatalogColumn): boolean => column.category === 'S';

export const hasTimeZone = (column: CatalogColumn): boolean => column.type === 'timestamp with time zone';
