/** Longest text looked at, in characters; the rest is cut before any pattern runs, so that cost stays linear and small. */
export const redactCharsMax = 20_000;
/** Shortest literal secret that is replaced; shorter ones would blank out ordinary words. */
export const literalSecretCharsMin = 6;

const mask = '[redacted]';

/**
 * Patterns of secrets in free text, each bounded and without nested repetition. Shapes follow the public formats of
 * the providers and the rule sets of gitleaks and secretlint.
 */
const patterns: readonly (readonly [RegExp, string])[] = [
  // PEM blocks: everything between the armour lines, or to the end when the text was cut.
  [
    /-----BEGIN [A-Z0-9 ]{0,40}(?:PRIVATE KEY|CERTIFICATE)[A-Z0-9 ]{0,20}-----[\s\S]{0,20000}?(?:-----END [A-Z0-9 ]{0,60}-----|$)/g,
    mask,
  ],
  // scheme://user:password@host — a password may itself hold an @, so take the last one before the host ends.
  [/\b([a-z][a-z0-9+.-]{1,30}:\/\/)[^\s/?#"'<>]{0,500}@/gi, `$1${mask}@`],
  [/https:\/\/hooks\.slack\.com\/[^\s"'<>]{1,300}/gi, `https://hooks.slack.com/${mask}`],
  [
    /\b(authorization|proxy-authorization)(["']?\s{0,3}[:=]\s{0,3}["']?)(?:[a-z][a-z0-9-]{0,30}\s{1,3})?[^\s"',;]{1,2000}/gi,
    `$1$2${mask}`,
  ],
  [/\b(bearer|basic)\s{1,3}[A-Za-z0-9+/_.~=-]{8,4000}/gi, `$1 ${mask}`],
  [/\b((?:set-)?cookie)(["']?\s{0,3}:\s{0,3})[^\r\n"]{1,2000}/gi, `$1$2${mask}`],
  // JSON Web Tokens.
  [/\beyJ[A-Za-z0-9_-]{5,4000}\.[A-Za-z0-9_-]{5,4000}(?:\.[A-Za-z0-9_-]{0,4000})?/g, mask],
  [/\b(?:AKIA|ASIA|AGPA|AIDA|AROA)[A-Z0-9]{16}\b/g, mask],
  [/\b(?:gh[pousr]_[A-Za-z0-9]{20,255}|github_pat_[A-Za-z0-9_]{20,255}|glpat-[A-Za-z0-9_-]{16,255})/g, mask],
  [/\b(?:xapp|xox[abeoprs])-[A-Za-z0-9-]{8,255}/g, mask],
  [/\bSG\.[A-Za-z0-9_-]{10,60}\.[A-Za-z0-9_-]{20,100}/g, mask],
  [/\b(?:sk|pk|rk)[-_](?:live[-_]|test[-_]|proj-|ant-)?[A-Za-z0-9_-]{16,255}/g, mask],
  [/\bwhsec_[A-Za-z0-9+/=]{16,255}/g, mask],
  [/\bAIza[A-Za-z0-9_-]{30,50}/g, mask],
  [/\bnpm_[A-Za-z0-9]{30,60}/g, mask],
  // name = value, name: "value", and the same inside JSON, JSON inside JSON, or a query string. Names may be longer:
  // dbPassword, AWS_SECRET_ACCESS_KEY. The mask inside a value is passed over whole.
  [
    /((?:^|[^A-Za-z0-9])[A-Za-z0-9_-]{0,60}?(?:password|passwd|passphrase|pwd|secret|token|(?:api|access|account|private|signing)[_-]?key|credentials?)(?:\\{0,3}["'])?\s{0,3}(?:=>?|:)\s{0,3})(?:(?:(\\{1,3}["'])[^\r\n]{0,4000}?(?:\2|$)|"(?:[^"\\\r\n]|\\[^\r\n]){0,4000}"?|'(?:[^'\\\r\n]|\\[^\r\n]){0,4000}'?)(?:\[redacted\]|[^\s"',;&)}\]]){0,4000}|(?:\[redacted\]|[^\s"',;&)}\]]){1,4000})/gim,
    `$1${mask}`,
  ],
  [
    /(--(?:[a-z-]{0,30}(?:password|passwd|token|secret)|[a-z-]{0,30}(?:api|access|private|secret)-key)[ =])(?:"[^"\r\n]{0,500}"?\S{0,500}|'[^'\r\n]{0,500}'?\S{0,500}|\S{1,500})/gi,
    `$1${mask}`,
  ],
];

/**
 * Replaces secrets in free text. The one chokepoint through which error text passes before it is sent, stored, logged
 * or mailed. Idempotent.
 *
 * @param text any text; only the first `redactCharsMax` characters are kept
 * @param literals known secret values of the installation; those shorter than `literalSecretCharsMin` are ignored
 */
export const redact = (text: string, literals: readonly string[] = []): string => {
  let result = text.length > redactCharsMax ? text.slice(0, redactCharsMax) : text;
  // The longest first, so that a secret that contains another one is not replaced in part.
  for (const literal of literals.toSorted((a, b) => b.length - a.length))
    if (literal.length >= literalSecretCharsMin && !mask.includes(literal)) result = result.replaceAll(literal, mask);
  for (const [pattern, replacement] of patterns) result = result.replace(pattern, replacement);
  return result.slice(0, redactCharsMax);
};
