import { causeLine, cleanText } from './error-text.ts';
import type { Instant } from './ids.ts';

/** "a", "a and b", "a, b and 3 more" */
export const listOf = (names: readonly string[], listedMax: number): string => {
  if (names.length > listedMax) return `${names.slice(0, listedMax).join(', ')} and ${names.length - listedMax} more`;
  return names.length < 2 ? (names[0] ?? '') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
};

/** "1 failure", "2,000 failures" */
export const countOf = (count: number, noun: string): string => `${thousands(count)} ${noun}${count === 1 ? '' : 's'}`;

/** "2,000" */
export const thousands = (count: number): string => count.toLocaleString('en-GB');

const weekdays = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
/** "Mon 2 Mar 03:02 UTC" */
export const when = (at: Instant): string => `${day(at)} ${clock(at)} UTC`;
export const clock = (at: Instant): string => at.slice(11, 16);
export const day = (at: Instant): string => {
  const date = new Date(at);
  return `${weekdays[date.getUTCDay()]} ${date.getUTCDate()} ${months[date.getUTCMonth()]}`;
};

/** "Mon 2 Mar 03:02 to 03:07 UTC"; one time where both are the same minute. */
export const fromTo = (from: Instant, to: Instant): string => {
  if (from.slice(0, 16) === to.slice(0, 16)) return when(from);
  return from.slice(0, 10) === to.slice(0, 10)
    ? `${day(from)} ${clock(from)} to ${clock(to)} UTC`
    : `${day(from)} ${clock(from)} to ${when(to)}`;
};

/** The line of an error that names its cause. */
export const firstLine = (text: string, charsMax: number): string => cut(causeLine(cleanText(text)), charsMax);

/** One harmless line of at most so many characters. */
export const oneLine = (text: string, charsMax: number): string =>
  cut(cleanText(text).replace(/\s+/g, ' ').trim(), charsMax);

const cut = (line: string, charsMax: number): string =>
  line.length > charsMax
    ? `${line
        .slice(0, charsMax - 1)
        .toWellFormed()
        .trimEnd()}…`
    : line;
