/** Remembers how to take back what a transaction changed. */
export interface UndoLog {
  readonly changed: (takeBack: () => void) => void;
  /** Takes everything back, the latest change first. */
  readonly rollBack: () => void;
  /** Forgets how: what was changed stays. */
  readonly commit: () => void;
  /** Whether anything was changed since. */
  readonly isEmpty: () => boolean;
}

export const createUndoLog = (): UndoLog => {
  const steps: (() => void)[] = [];
  return {
    changed: (takeBack) => void steps.push(takeBack),
    rollBack: () => {
      for (let step = steps.pop(); step !== undefined; step = steps.pop()) step();
    },
    commit: () => void (steps.length = 0),
    isEmpty: () => steps.length === 0,
  };
};

/** Rows by key, whose changes can be taken back. Rows are replaced, never changed in place. */
export interface Table<Row> {
  readonly get: (key: string) => Row | undefined;
  readonly has: (key: string) => boolean;
  readonly set: (key: string, row: Row) => void;
  /** In the order in which the keys were first set. */
  readonly rows: () => readonly Row[];
  readonly size: () => number;
}

export const createTable = <Row>(undo: UndoLog): Table<Row> => {
  const rows = new Map<string, Row>();
  return {
    get: (key) => rows.get(key),
    has: (key) => rows.has(key),
    set: (key, row) => {
      const before = rows.get(key);
      undo.changed(before === undefined ? () => rows.delete(key) : () => rows.set(key, before));
      rows.set(key, row);
    },
    rows: () => [...rows.values()],
    size: () => rows.size,
  };
};
