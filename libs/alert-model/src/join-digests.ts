import type { AlertEvent, DigestEvent, DigestPurpose } from './event.ts';
import type { Effect } from './effects.ts';
import type { AlertId, DigestId, Instant } from './ids.ts';
import { addMs } from './instant.ts';

/** What joining digests comes to: an AlertBatched for each alert and route, and the digests that had to be opened. */
export interface Joined {
  readonly batched: readonly { readonly alertId: AlertId; readonly event: AlertEvent }[];
  readonly opened: readonly Extract<DigestEvent, { type: 'DigestOpened' }>[];
}

/**
 * Puts news into the open digest of its route and purpose, opening one where there is none. The window begins with its
 * first news, so a digest is never empty.
 *
 * @param joins JoinDigest effects of one transaction, repeats allowed
 * @param open the open digests there are
 * @param newId makes the identity of a digest that is opened
 */
export const joinDigests = (
  joins: readonly Extract<Effect, { type: 'JoinDigest' }>[],
  open: readonly {
    readonly id: DigestId;
    readonly route: string;
    readonly purpose: DigestPurpose;
    readonly dueAt: Instant;
  }[],
  newId: () => DigestId,
  now: Instant,
): Joined => {
  const digests = new Map(open.map(({ id, route, purpose, dueAt }) => [slot(route, purpose), { id, dueAt }]));
  const opened: Extract<DigestEvent, { type: 'DigestOpened' }>[] = [];
  const batched = new Map<string, { alertId: AlertId; event: AlertEvent }>();
  for (const { alertId, route, purpose, windowMs, channels, fallback } of joins) {
    let digest = digests.get(slot(route, purpose));
    if (digest === undefined) {
      digest = { id: newId(), dueAt: addMs(now, windowMs) };
      digests.set(slot(route, purpose), digest);
      opened.push({
        type: 'DigestOpened',
        occurredAt: now,
        data: {
          digestId: digest.id,
          route,
          purpose,
          channels: [...channels],
          fallback: [...fallback],
          dueAt: digest.dueAt,
        },
      });
    }
    batched.set(`${alertId} ${slot(route, purpose)}`, {
      alertId,
      event: {
        type: 'AlertBatched',
        occurredAt: now,
        data: { digestId: digest.id, route, purpose, dueAt: digest.dueAt },
      },
    });
  }
  return { batched: [...batched.values()], opened };
};

const slot = (route: string, purpose: DigestPurpose): string => `${purpose} ${route}`;
