import { InvalidArgumentError, Option } from 'commander';

/** `--json`, for every command that prints data. */
export const jsonOption = (): Option => new Option('--json', 'print data for programs instead of text for people');

/** A whole number between two bounds, both allowed. */
export const wholeNumber =
  (min: number, max: number) =>
  (text: string): number => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < min || value > max)
      throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`);
    return value;
  };

const instantPattern = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?)(Z|[+-]\d\d:?\d\d)?)?$/i;

/**
 * An instant such as `2026-03-02T09:00Z`, `2026-03-02 09:00` (UTC, as everything Tocsin prints) or `2026-03-02`, as
 * ISO-8601 in UTC. Microseconds of a time in UTC are kept.
 */
export const instant = (text: string): string => {
  const [, day, time = '00:00', zone = 'Z'] = instantPattern.exec(text.trim()) ?? [];
  const parsed = new Date(`${day}T${time}${zone.toUpperCase()}`);
  // JavaScript takes the 30th of February for the 2nd of March.
  const exists = day !== undefined && !Number.isNaN(parsed.getTime()) && new Date(day).toISOString().startsWith(day);
  if (!exists) throw new InvalidArgumentError('Write an instant in UTC, such as 2026-03-02T09:00Z.');
  const fraction = /\.(\d{1,6})$/.exec(time)?.[1];
  const iso = parsed.toISOString();
  return fraction === undefined ? iso : `${iso.slice(0, 19)}.${fraction.padEnd(6, '0')}Z`;
};

/** One or several of the given words, separated by commas. */
export const someOf =
  (words: readonly string[]) =>
  (text: string, before: readonly string[] | undefined): readonly string[] => {
    const chosen = text.split(',').map((word) => word.trim());
    const wrong = chosen.find((word) => !words.includes(word));
    if (wrong !== undefined) throw new InvalidArgumentError(`Choose from ${words.join(', ')}.`);
    return [...new Set([...(before ?? []), ...chosen])];
  };

/** How much an alert matters, mildest first. */
export const severities = ['info', 'warning', 'error', 'critical'] as const;
