/** Version prefix of the fingerprint: a change of the rules below takes the next number. */
export const signatureVersion = 's1';
/** How much of an error text is looked at, and how much of its template takes part, in characters: causes differ early. */
export const signatureTextCharsMax = 2_000;
export const signatureCharsMax = 500;

/**
 * What varies between two failures of the same cause, most specific first. The list follows Sentry's message
 * parameterization (getsentry/rfcs 0104): email, URL, IP, UUID, hash, date, duration, hex, number, quoted text.
 */
const variables: readonly (readonly [RegExp, string])[] = [
  [/[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}/g, '<email>'],
  [/\b[a-z][a-z0-9+.-]{1,20}:\/\/[^\s"'<>)]{1,2000}/gi, '<url>'],
  [/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi, '<uuid>'],
  [/\b\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?(?:Z|[+-]\d{2}:?\d{2})?)?/g, '<date>'],
  [
    /\b(?:mon|tue|wed|thu|fri|sat|sun)[a-z]{0,6},? \d{1,2}[ -][a-z]{3}[a-z]{0,6}[ -]\d{2,4}(?: \d{2}:\d{2}:\d{2})?(?: [A-Z]{3,4})?/gi,
    '<date>',
  ],
  [
    /(?<![0-9a-z:])(?:(?:[0-9a-f]{1,4}:){3,7}[0-9a-f]{0,4}|(?:[0-9a-f]{1,4}(?::[0-9a-f]{1,4}){0,6})?::[0-9a-f:]{0,30})(?![0-9a-z:])/gi,
    '<ip>',
  ],
  [/\b\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?\b/g, '<time>'],
  [/\b(?:\d{1,3}\.){3}\d{1,3}(?::\d{1,5})?\b/g, '<ip>'],
  [
    /\b(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.){1,6}(?:com|net|org|io|dev|internal|local|cloud|app|co|test|example)(?::\d{1,5})?\b/gi,
    '<host>',
  ],
  [/\b0x[0-9a-f]{1,64}\b/gi, '<hex>'],
  [/\b(?=[0-9a-f]{0,64}\d)(?=[0-9a-f]{0,64}[a-f])[0-9a-f]{7,64}\b/gi, '<hash>'],
  // Identifiers such as `req_8fKJ2mXq7Lp0Zt3A` or a ULID: long, without a break, letters and digits mixed.
  [/(?<![a-z0-9])(?=[a-z]{0,63}\d)(?=\d{0,63}[a-z])[a-z0-9]{16,64}(?![a-z0-9])/gi, '<id>'],
  [/\b\d{1,12}(?:\.\d{1,9})?\s?(?:ms|µs|ns|secs?|seconds?|mins?|minutes?|hours?|days?|s|m|h|d)\b/gi, '<duration>'],
  [/(?:\/[\w.@%+-]{1,100}){2,30}/g, '<path>'],
  [/"[^"\n]{1,300}"/g, '<quoted>'],
  // Not the apostrophe of "can't".
  [/(?<![A-Za-z0-9])'[^'\n]{1,300}'(?![A-Za-z0-9])/g, '<quoted>'],
  // Not the codes that tell one cause from another: HTTP 503, status 401, exit code 137, errno 13, SQLSTATE 23505.
  [
    /(?<!\b(?:https?|https?\/\d(?:\.\d)?|status|code|errno|sqlstate|signal|error)[ :=#(]{0,3})(?<![\d.,])[-+]?\d{1,30}(?:[.,]\d{1,30}){0,10}/gi,
    '<n>',
  ],
];

/** The text with everything that varies replaced, for people: "HTTP <n> from <host>". */
export const signatureTemplate = (error: string | null): string => {
  if (error === null) return '<no error text>';
  let text = firstLines(error).slice(0, signatureTextCharsMax);
  for (const [pattern, name] of variables) text = text.replace(pattern, name);
  // Cut last: cut first, and the length of an identifier would decide what the tail of the template is.
  return text.replace(/\s+/g, ' ').trim().toLowerCase().slice(0, signatureCharsMax);
};

/**
 * Fingerprint of an error text: equal for failures of the same cause. `s1:` and 11 base-36 digits.
 *
 * @param error redacted error text, null when there is none
 */
export const signatureOf = (error: string | null): string => `${signatureVersion}:${hash53(signatureTemplate(error))}`;

/** The message lines of an error: a stack trace below them differs by build, not by cause. */
const firstLines = (error: string): string => {
  const lines = error.split('\n');
  const stack = lines.findIndex((line) => /^\s+at |^Traceback |^\s+File "|^\s*\.\.\. \d+ more/.test(line));
  if (stack === 0) {
    // A Python traceback: the cause is its last line that is not indented.
    return lines.findLast((line) => line.trim() !== '' && !/^\s/.test(line)) ?? error;
  }
  return (stack === -1 ? lines : lines.slice(0, stack)).slice(0, 3).join('\n');
};

/** cyrb53, a public-domain 53-bit string hash: enough to tell a few thousand causes apart, and needs no crypto module. */
const hash53 = (text: string): string => {
  let h1 = 0xdeadbeef;
  let h2 = 0x41c6ce57;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    h1 = Math.imul(h1 ^ code, 2654435761);
    h2 = Math.imul(h2 ^ code, 1597334677);
  }
  h1 = Math.imul(h1 ^ (h1 >>> 16), 2246822507) ^ Math.imul(h2 ^ (h2 >>> 13), 3266489909);
  h2 = Math.imul(h2 ^ (h2 >>> 16), 2246822507) ^ Math.imul(h1 ^ (h1 >>> 13), 3266489909);
  return (4294967296 * (2097151 & h2) + (h1 >>> 0)).toString(36).padStart(11, '0');
};
