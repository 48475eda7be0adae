import type { Queryable } from '@tocsin/runtime';

/** What the ledger says was told on one route. */
export interface ToldOnRoute {
  /** Alerts told as failing. */
  readonly failing: ReadonlySet<string>;
  /** Alerts told as over. */
  readonly over: ReadonlySet<string>;
  /** Accepted messages, by channel. */
  readonly messages: Readonly<Record<string, number>>;
}

interface Row {
  readonly route: string;
  readonly channel: string;
  readonly alertIds: readonly string[];
  readonly resolvedIds: readonly string[];
}

/** Who was told of what: everything that a provider has accepted, by route. */
export const toldOnRoutes = async (queryable: Queryable): Promise<ReadonlyMap<string, ToldOnRoute>> => {
  const { rows } = await queryable.query<Row>(
    `select
       digests.route,
       deliveries.channel,
       deliveries.alert_ids::text[] as "alertIds",
       deliveries.resolved_ids::text[] as "resolvedIds"
     from tocsin.deliveries
     join tocsin.digests on digests.id = deliveries.digest_id
     where deliveries.state = 'accepted'
     order by deliveries.accepted_at`,
  );
  return new Map(
    [...Map.groupBy(rows, ({ route }) => route)].map(([route, told]) => [
      route,
      {
        failing: new Set(told.flatMap(failingOf)),
        over: new Set(told.flatMap(({ resolvedIds }) => resolvedIds)),
        messages: Object.fromEntries(
          [...Map.groupBy(told, ({ channel }) => channel)].map(([channel, { length }]) => [channel, length]),
        ),
      },
    ]),
  );
};

const failingOf = ({ alertIds, resolvedIds }: Row): readonly string[] => {
  const over = new Set(resolvedIds);
  return alertIds.filter((id) => !over.has(id));
};
