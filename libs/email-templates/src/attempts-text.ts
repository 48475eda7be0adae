import { isConditionWord } from '@tocsin/alert-model';
import { cleanLine } from './clean-text.ts';
import { formatCount } from './format-count.ts';

const kindCharactersMax = 20;

/**
 * How a job ended, `3 of 3`, `1 of 5, then marked dead`; null when the row says nothing beyond its failure. A job under
 * suspicion has not ended: `1 of 3 so far`.
 */
export const attemptsText = (attempts: number | null, maxAttempts: number | null, kind: string): string | null => {
  if (isConditionWord(kind)) return attempts === null ? null : `${attemptsCount(attempts, maxAttempts)} so far`;
  const ending =
    kind === 'failed'
      ? null
      : kind === 'dead'
        ? 'marked dead'
        : kind === 'partial'
          ? 'succeeded in part'
          : cleanLine(kind, kindCharactersMax);
  if (attempts === null) return ending;
  const count = attemptsCount(attempts, maxAttempts);
  return ending === null ? count : `${count}, then ${ending}`;
};

const attemptsCount = (attempts: number, maxAttempts: number | null): string =>
  maxAttempts === null ? formatCount(attempts) : `${formatCount(attempts)} of ${formatCount(maxAttempts)}`;
