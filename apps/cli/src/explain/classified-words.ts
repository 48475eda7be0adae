import { classifyFailure } from '@tocsin/alert-model';
import type { FailureSignal, Policy } from '@tocsin/alert-model';
import { mutesFor } from '@tocsin/alert-service';
import type { Silence } from '@tocsin/event-store';
import { listed } from '../printing/lines.ts';
import { muteText, untilText } from '../printing/mute-text.ts';

/** What today's configuration is asked about. */
export interface PolicyFacts {
  readonly policy: Policy;
  /** Silences that are on. */
  readonly silences: readonly Silence[];
  readonly now: string;
}

/**
 * What becomes of a failure by today's configuration, as a sentence without its full stop: the rule that ignores it; or its
 * key, rule and routes, its threshold, and the silence that would mute it.
 */
export const classifiedWords = (signal: FailureSignal, { policy, silences, now }: PolicyFacts): string => {
  const classified = classifyFailure(signal, policy, now);
  if ('ignoredBy' in classified) return `it will be ignored by ${classified.ignoredBy}`;
  const { key, rule, severity, routes, threshold } = classified;
  const whom = listed(routes.map(({ name, channels }) => `${name} (${listed(channels)})`));
  const held = threshold === null ? '' : `, once the threshold of ${threshold.rule} is reached`;
  const muting = mutesFor(silences, { signal, classification: classified, state: null, now }).map(
    (silence) => `${muteText(silence.id, silence)} mutes it ${untilText(silence.end)}`,
  );
  return [
    `it will belong to ${key}, severity ${severity} (${rule ?? 'no rule matches'}), told on route ${whom}${held}`,
    ...muting,
  ].join('; ');
};
