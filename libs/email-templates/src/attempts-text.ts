import { cleanLine } from './clean-text.ts';
import { formatCount } from './format-count.ts';

const kindCharactersMax = 20;

/** How a job ended, `3 of 3`, `1 of 5, then marked dead`, `stuck`; null when the row says nothing beyond its failure. */
export const attemptsText = (attempts: number | null, maxAttempts: number | null, kind: string): string | null => {
  const ending = kind === 'failed' ? null : kind === 'dead' ? 'marked dead' : cleanLine(kind, kindCharactersMax);
  if (attempts === null) return ending;
  const count =
    maxAttempts === null ? formatCount(attempts) : `${formatCount(attempts)} of ${formatCount(maxAttempts)}`;
  return ending === null ? count : `${count}, then ${ending}`;
};
