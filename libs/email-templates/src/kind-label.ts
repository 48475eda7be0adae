import { isConditionWord, jobsByKind } from '@tocsin/alert-model';
import type { MessageCause, MessageItem } from '@tocsin/alert-model';

/** What is wrong with a job, in two words at most, as it stands beside the severity. */
const labels: Readonly<Record<string, string>> = {
  failed: 'failed',
  dead: 'dead',
  partial: 'failed in part',
  stuck: 'stuck',
  stalled: 'not picked up',
  backlog: 'not picked up',
  overdue: 'overdue',
  deadline: 'late',
  zero_throughput: 'no job ends',
  unhealthy: 'cannot be judged',
  unreadable: 'cannot be read',
  component: 'needs attention',
};
const kindsShownMax = 2;

/** `stuck`, `failed, stuck`: what is wrong with the jobs of an item, most decisive first; empty when no job is listed. */
export const kindLabel = (item: MessageItem): string =>
  [...jobsByKind(item).keys()]
    .slice(0, kindsShownMax)
    .map((kind) => labels[kind] ?? 'failed')
    .join(', ');

/** Whether the text of a cause is a sentence of ours about a condition, not an error a program wrote. */
export const isSentence = (cause: MessageCause): boolean =>
  cause.jobs.length > 0 && cause.jobs.every(({ kind }) => isConditionWord(kind));

/** The sentence that says it all of an item with one cause, a condition; null for others, whose causes are told one by one. */
export const onlySentence = (item: MessageItem): string | null => {
  const [cause, ...others] = item.causes;
  return cause !== undefined && others.length === 0 && item.moreCauses === 0 && isSentence(cause) ? cause.error : null;
};

/** Whether an item ended without a success, because its conditions hold no more. */
export const isRetracted = ({ resolution }: MessageItem): boolean => resolution?.reason === 'retracted';
