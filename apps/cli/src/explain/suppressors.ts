import { isSilenced } from '@tocsin/alert-model';
import type { AlertState } from '@tocsin/alert-model';
import { formatDuration, windowText } from '@tocsin/runtime';
import { leaseText } from '../printing/lease-text.ts';
import { counted } from '../printing/lines.ts';
import { utcTime } from '../printing/moment.ts';
import { muteText, untilText } from '../printing/mute-text.ts';
import { stormText } from '../printing/storm-text.ts';
import type { AlertFacts, Suppressor } from './alert-explanation.ts';
import { mutingsOf } from './mutings.ts';
import { isKeptByQuietHours } from './quiet-hours.ts';

/** What keeps news of an alert from people, or did: what does so now first, then in the order in which it began. */
export const suppressorsOf = (facts: AlertFacts): readonly Suppressor[] =>
  [...silences(facts), ...flapping(facts.state), ...acknowledgement(facts.state), ...gathering(facts)].toSorted(
    (a, b) => Number(b.active) - Number(a.active) || (a.since < b.since ? -1 : 1),
  );

const silences = ({ events, state }: AlertFacts): readonly Suppressor[] =>
  mutingsOf(events).map(({ silenceId, by, reason, end, from, to, endedBy }) => {
    const mute = muteText(silenceId, { by, reason });
    const active = to === null && state.resolution === null;
    const over = to === null ? 'until it was resolved' : `until ${utcTime(to)} UTC`;
    return {
      by: 'silence',
      active,
      since: from,
      until: active ? (end.until === 'time' ? end.at : null) : (to ?? state.resolution?.resolvedAt ?? null),
      words: active
        ? `${mute} mutes it since ${utcTime(from)} ${untilText(end)}`
        : `${mute} muted it from ${utcTime(from)} ${over}${endedBy === null ? '' : `, when ${endedBy} ended it`}`,
    };
  });

const flapping = ({ flapping: now, openedFlapping, openedAt, resolution }: AlertState): readonly Suppressor[] => {
  if (openedFlapping === null) return [];
  const { count, withinMs, holdMs } = openedFlapping;
  const active = now !== null && resolution === null;
  const what = `flapping: ${counted(count, 'alert')} of this key within ${formatDuration(withinMs)}`;
  const until = `until it has been fine, or failing, for ${formatDuration(holdMs)}`;
  return [
    {
      by: 'flapping',
      active,
      since: openedAt,
      until: null,
      words: active ? `${what}; told once, then held ${until}` : `${what}; told once, then held until it had settled`,
    },
  ];
};

const acknowledgement = ({ acknowledgement: held, resolution }: AlertState): readonly Suppressor[] =>
  held === null || resolution !== null
    ? []
    : [
        {
          by: 'acknowledgement',
          active: true,
          since: held.at,
          until: held.lease.until === 'time' ? held.lease.at : null,
          words: `${held.by} has it since ${utcTime(held.at)} UTC, ${leaseText(held.lease)}`,
        },
      ];

/** Open digests that hold its news for longer than the window of their route. */
const gathering = ({ digests, state, events }: AlertFacts): readonly Suppressor[] =>
  digests.flatMap((digest): readonly Suppressor[] => {
    if (digest.state !== 'open' || !(digest.id in state.batches)) return [];
    const { route: name, dueAt, openedAt, storm, purpose } = digest;
    const since =
      events.find(({ event }) => event.type === 'AlertBatched' && event.data.digestId === digest.id)?.event
        .occurredAt ?? openedAt;
    const held = { active: true, since, until: dueAt } as const;
    if (purpose === 'storm')
      return [
        {
          ...held,
          by: 'storm',
          words: `a storm (${storm === null ? 'many alerts at once' : stormText(storm)}): since ${utcTime(since)} UTC it is gathered with the others into one message of route ${name}`,
        },
      ];
    const route = state.routes.find((one) => one.name === name);
    return route === undefined || !isKeptByQuietHours(route, dueAt)
      ? []
      : [
          {
            ...held,
            by: 'quiet-hours',
            words: `quiet hours of route ${name} (${route.quietHours.map(windowText).join('; ')}), until ${utcTime(dueAt)} UTC`,
          },
        ];
  });

/** The silences that mute an alert now, in one sentence without its full stop; null when none does. */
export const mutedWords = (state: AlertState): string | null =>
  isSilenced(state)
    ? Object.entries(state.silences)
        .map(([id, mute]) => `${muteText(id, mute)} mutes it ${untilText(mute.end)}`)
        .join(', and ')
    : null;
