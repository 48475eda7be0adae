import { settingsFingerprint } from '@tocsin/runtime';
import type { Config, Queryable } from '@tocsin/runtime';

/** A channel that is used and of which nobody knows whether it works. */
export interface UnverifiedChannel {
  readonly channel: string;
  /** When it was last tested, with other settings than now; null when it never was. */
  readonly testedAt: string | null;
}

/** Channels that cannot fail but with the machine itself. */
const localTypes: ReadonlySet<string> = new Set(['outbox', 'console']);

// One row per channel.
const text = `
select channel, verified_at as "verifiedAt", verified_settings as "verifiedSettings"
from tocsin.channel_states
where channel = any($1)`;

/**
 * The channels that routes and escalations use, and whose settings were never tested as they are, in the order in which
 * they are declared.
 */
export const readUnverifiedChannels = async (
  queryable: Queryable,
  config: Config,
): Promise<readonly UnverifiedChannel[]> => {
  const used = usedChannels(config);
  const names = Object.keys(config.channels).filter((name) => used.has(name));
  const { rows } = await queryable.query<{
    readonly channel: string;
    readonly verifiedAt: string | null;
    readonly verifiedSettings: string | null;
  }>(text, [names]);
  return names.flatMap((channel): readonly UnverifiedChannel[] => {
    const settings = config.channels[channel];
    if (settings === undefined || localTypes.has(settings.type)) return [];
    const state = rows.find((row) => row.channel === channel);
    return state?.verifiedSettings === settingsFingerprint(settings)
      ? []
      : [{ channel, testedAt: state?.verifiedAt ?? null }];
  });
};

const usedChannels = ({ routes, escalations }: Config): ReadonlySet<string> =>
  new Set([
    ...routes.flatMap(({ channels, fallback }) => [...channels, ...fallback]),
    ...Object.values(escalations).flatMap(({ levels }) => levels.flatMap(({ channels }) => channels)),
  ]);
