/** Most rows sent to the server in one statement: keeps a statement's payload to a few megabytes. */
export const rowsPerStatementMax = 1_000;

/** The items in runs of at most {@link rowsPerStatementMax}, in order. No items: no run. */
export const chunks = <Item>(items: readonly Item[]): readonly (readonly Item[])[] =>
  Array.from({ length: Math.ceil(items.length / rowsPerStatementMax) }, (_, index) =>
    items.slice(index * rowsPerStatementMax, (index + 1) * rowsPerStatementMax),
  );
