import type { EscalationStep, FrozenEscalation } from '@tocsin/alert-model';
import { formatDuration } from '@tocsin/runtime';
import { listed } from './lines.ts';

/** What a step does: `escalates to second-line (pager)`, `escalates to level 2 of night (boss)`, `tells night again, 2 of 5 (pager and boss)`. */
export const stepText = (
  { name, levels, repeat }: FrozenEscalation,
  { step, repeat: repetition, channels }: Pick<EscalationStep, 'step' | 'repeat' | 'channels'>,
): string => {
  const whom = `(${listed(channels)})`;
  if (repetition > 0) return `tells ${name} again, ${repetition} of ${repeat?.times ?? repetition} ${whom}`;
  return `escalates to ${levels.length === 1 ? '' : `level ${step} of `}${name} ${whom}`;
};

/** Who is told when, counted from when people know: `after 15 min chat; after 45 min, if critical, pager; then all again every 1 h, 5 times`. */
export const ladderText = ({ levels, repeat }: FrozenEscalation): string =>
  [
    ...levels.map(({ afterMs, channels, severities }) => {
      const only = severities === null ? '' : `, if ${severities.join(' or ')},`;
      return `${afterMs === 0 ? 'at once' : `after ${formatDuration(afterMs)}`}${only} ${listed(channels)}`;
    }),
    ...(repeat === null
      ? []
      : [
          `then all again every ${formatDuration(repeat.everyMs)}, ${repeat.times === 1 ? 'once' : `${repeat.times} times`}`,
        ]),
  ].join('; ');
