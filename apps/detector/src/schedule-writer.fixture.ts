import type { PooledClient } from '@tocsin/runtime';

/** One version of a row: the outcome it shows, if any, and whether a scan has to find it without any comparison. */
export interface RowVersion {
  readonly outcome: string | null;
  readonly byScan: boolean;
}

/** The rows of a schedule as they stand committed, and who has written what since. */
export interface ScheduleRows {
  readonly committed: Map<string, RowVersion>;
  /** Every outcome that was ever committed. */
  readonly ever: Set<string>;
  readonly writers: readonly ScheduleWriter[];
}

/** A worker's connection. */
export interface ScheduleWriter {
  readonly client: PooledClient;
  open: boolean;
  /** Written by the open transaction so far. */
  written: { readonly id: string; readonly version: RowVersion }[];
  /** How much of it was written before the savepoint; null when there is none. */
  savepoint: number | null;
}

/** Where the choices of a schedule come from. */
export interface Choices {
  /** The next number; 0 once they are used up. */
  readonly draw: () => number;
  readonly pick: <Item>(items: readonly Item[]) => Item;
  /** Numbers the next row. */
  readonly nextRow: () => number;
  /** Names the next outcome. */
  readonly nextOutcome: () => string;
  /** Workers whose clocks are wrong by an hour, or coarse, as well. */
  readonly skewed: boolean;
}

/** A step that is possible, how likely it is, and what it says it did. */
export type WeightedStep = readonly [weight: number, step: () => Promise<string>];

/** How workers date what they write. `skew` is what their end times are wrong by. */
const stamps = [
  { name: 'by its transaction', changed: 'now()', skew: '0 h', byScan: true },
  { name: 'by its statement', changed: 'clock_timestamp()', skew: '0 h', byScan: true },
  { name: 'an hour ahead', changed: "clock_timestamp() + interval '1 h'", skew: '1 h', byScan: true },
  { name: 'an hour behind', changed: "clock_timestamp() - interval '1 h'", skew: '-1 h', byScan: false },
  { name: 'by the minute', changed: "date_trunc('minute', clock_timestamp())", skew: '0 h', byScan: false },
] as const;
const rightStamps = stamps.slice(0, 2);

/** What a worker may do with a row; those that are more likely stand there more often. */
const changes = ['insert', 'insert', 'insert', 'end', 'end', 'end', 'try', 'retry', 'touch'] as const;

/** What this writer may do next. */
export const stepsOfWriter = (
  rows: ScheduleRows,
  writer: ScheduleWriter,
  choices: Choices,
): readonly WeightedStep[] => {
  const { client } = writer;
  const end = (): void => {
    Object.assign(writer, { open: false, written: [], savepoint: null });
  };
  // The first write goes with the beginning: until it has written, a transaction cannot be told from a reader.
  const begin = async (): Promise<string> => {
    await client.query('begin');
    writer.open = true;
    return `begin, ${await write(rows, writer, choices)}`;
  };
  const commit = async (): Promise<string> => {
    await client.query('commit');
    for (const { id, version } of writer.written) rows.committed.set(id, version);
    for (const { id } of writer.written) {
      const outcome = rows.committed.get(id)?.outcome ?? null;
      if (outcome !== null) rows.ever.add(outcome);
    }
    end();
    return 'commit';
  };
  const rollback = async (): Promise<string> => {
    await client.query('rollback');
    end();
    return 'rollback';
  };
  const save = async (): Promise<string> => {
    await client.query('savepoint here');
    writer.savepoint = writer.written.length;
    return 'savepoint';
  };
  const restore = async (): Promise<string> => {
    await client.query('rollback to savepoint here');
    writer.written.length = writer.savepoint ?? 0;
    return 'rollback to savepoint';
  };
  if (!writer.open) return [[4, begin]];
  return [
    [5, () => write(rows, writer, choices)],
    [3, commit],
    [1, rollback],
    [1, save],
    ...(writer.savepoint === null ? [] : [[2, restore] as const]),
  ];
};

/** Commits or rolls back what is still open. */
export const endWriter = async (rows: ScheduleRows, writer: ScheduleWriter, choices: Choices): Promise<string> => {
  const last = stepsOfWriter(rows, writer, choices)[choices.draw() % 4 === 0 ? 2 : 1];
  return writer.open && last !== undefined ? last[1]() : 'nothing left';
};

/**
 * One row inserted or changed. Rows that another open transaction has written are left alone: nothing else could run
 * while a writer waits for their lock.
 */
const write = async (rows: ScheduleRows, writer: ScheduleWriter, choices: Choices): Promise<string> => {
  const { draw, pick } = choices;
  const stamp = pick(choices.skewed ? stamps : rightStamps);
  const free = [...new Set([...rows.committed.keys(), ...writer.written.map(({ id }) => id)])].filter(
    (id) => !rows.writers.some((other) => other !== writer && other.written.some((row) => row.id === id)),
  );
  const change = free.length === 0 ? 'insert' : pick(changes);
  const ends = change === 'end' || (change === 'insert' && draw() % 2 === 0);
  const id = change === 'insert' ? randomId(choices) : pick(free);
  const before = writer.written.findLast((row) => row.id === id)?.version ?? rows.committed.get(id);
  const outcome = ends ? choices.nextOutcome() : change === 'touch' ? (before?.outcome ?? null) : null;
  if (change === 'touch')
    await writer.client.query(`update public.research_jobs set updated_at = ${stamp.changed} where id = $1`, [id]);
  else
    await writer.client.query(
      `insert into public.research_jobs as job (id, source, job_type, status, attempts, error, finished_at, updated_at)
       values ($1, 'apple', 'refresh', $2, $3, $4, case when $5 then clock_timestamp() + $6::interval end, ${stamp.changed})
       on conflict (id) do update set
         status = excluded.status, attempts = excluded.attempts, error = excluded.error,
         finished_at = excluded.finished_at, updated_at = excluded.updated_at`,
      [
        id,
        ends ? pick(['failed', 'dead']) : { insert: 'running', try: 'failed', retry: 'pending' }[change as 'insert'],
        ends ? 3 : { insert: 1, try: 2, retry: 0 }[change as 'insert'],
        outcome,
        ends,
        stamp.skew,
      ],
    );
  writer.written.push({ id, version: { outcome, byScan: stamp.byScan } });
  return `${change} ${id.slice(0, 8)}${outcome === null ? '' : ` (${outcome})`}, dated ${stamp.name}`;
};

/** Ids come in any order, and no two are the same. */
const randomId = ({ draw, nextRow }: Choices): string =>
  `${hex(draw())}${hex(draw())}-0000-4000-8000-${nextRow().toString(16).padStart(12, '0')}`;

const hex = (n: number): string => (n & 0xffff).toString(16).padStart(4, '0');
