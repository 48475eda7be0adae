import { isAfter, isCanary, isCondition, matches, ownSource, severityRank } from '@tocsin/alert-model';
import type {
  AlertId,
  AlertState,
  Classification,
  FailureKind,
  FailureSignal,
  Instant,
  Match,
  Severity,
} from '@tocsin/alert-model';
import type { Silence } from '@tocsin/event-store';

/** A silence as decisions know it. */
export type SilenceTerms = Pick<Silence, 'id' | 'by' | 'reason' | 'end'>;

/** What a silence looks at. */
interface Silenceable {
  /** null: it is about to be opened. */
  readonly alertId: AlertId | null;
  readonly source: string;
  readonly jobType: string;
  readonly targetId: string | null;
  readonly severity: Severity;
  readonly kinds: readonly FailureKind[];
}

/** Kinds that leave a failed row behind; an alert does not count them one by one. */
const rowKinds: readonly FailureKind[] = ['failed', 'dead', 'partial'];

/** Whether a silence mutes an open alert as it stands. */
export const mutes = (silence: Pick<Silence, 'match' | 'end' | 'alertIds'>, state: AlertState): boolean =>
  covers(silence, {
    alertId: state.id,
    source: state.source,
    jobType: state.jobType,
    targetId: state.targetId,
    severity: state.severity,
    kinds: kindsOf(state),
  });

/**
 * The silences that mute a failure: those that fit what its alert is once it has it. A silence that is over and was not
 * carried out yet mutes nothing any more.
 *
 * @param failure.state the open alert of its key; null when it opens one
 */
export const mutesFor = (
  silences: readonly Silence[],
  failure: {
    readonly signal: FailureSignal;
    readonly classification: Pick<Classification, 'severity'>;
    readonly state: AlertState | null;
    readonly now: Instant;
  },
): readonly SilenceTerms[] => {
  const { signal, classification, state, now } = failure;
  if (silences.length === 0 || isCanary(signal)) return [];
  const subject: Silenceable = {
    alertId: state?.id ?? null,
    source: state?.source ?? signal.source,
    jobType: state?.jobType ?? signal.jobType,
    targetId: state === null ? signal.targetId : state.targetId,
    severity: state === null ? classification.severity : worse(state.severity, classification.severity),
    kinds: [...new Set([...(state === null ? [] : kindsOf(state)), signal.kind])],
  };
  return silences.filter((silence) => !isOver(silence, now) && covers(silence, subject)).map(termsOf);
};

/** What decisions need of a silence. */
export const termsOf = ({ id, by, reason, end }: Silence): SilenceTerms => ({ id, by, reason, end });

/** Whether the time of a silence has passed, carried out or not. */
export const isOver = ({ end }: Pick<Silence, 'end'>, now: Instant): boolean =>
  end.until === 'time' && !isAfter(end.at, now);

const covers = ({ match, end, alertIds }: Pick<Silence, 'match' | 'end' | 'alertIds'>, subject: Silenceable): boolean =>
  // One that ends with the resolution of alerts is for those alerts and for no later one.
  end.until === 'resolved' ? subject.alertId !== null && alertIds.includes(subject.alertId) : fits(match, subject);

/** Whether a match is for this. Tocsin's own alerts are muted only by a silence that names a source. */
export const fits = ({ kind, ...match }: Match, { kinds, ...subject }: Silenceable): boolean =>
  matches(match, subject) &&
  (subject.source !== ownSource || match.source !== undefined) &&
  (kind === undefined ||
    kinds.every((one) => kind.includes(one) || (isRow(one) && rowKinds.some((row) => kind.includes(row)))));

const isRow = (kind: FailureKind): boolean => rowKinds.includes(kind);

/** Kinds an alert has seen; those of rows are named as one. */
const kindsOf = ({ conditions, occurrences }: AlertState): readonly FailureKind[] => {
  const counted = Object.values(conditions).reduce((sum, count) => sum + count, 0);
  return [
    ...(Object.keys(conditions) as FailureKind[]).filter(isCondition),
    ...(occurrences > counted ? (['failed'] as const) : []),
  ];
};

const worse = (one: Severity, other: Severity): Severity => (severityRank[one] >= severityRank[other] ? one : other);
