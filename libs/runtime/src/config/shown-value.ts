import { MASK, maskUrl } from './mask-url.ts';

const SHOWN_CHARACTERS_MAX = 80;

/**
 * A value from the file as a problem may show it. `value` must be taken before references to variables are filled in,
 * so what comes from the environment never shows. Of what is written out, keys and secrets are masked at any depth,
 * URLs lose their passwords, and long text is cut.
 */
export function shownValue(path: readonly PropertyKey[], value: unknown): string {
  if (typeof value === 'string' && isReference(value)) return `the text of ${value}`;
  const ownKey = String(path.findLast((part) => typeof part === 'string') ?? '');
  const shown = JSON.stringify(value, (key, inner: unknown) =>
    typeof inner === 'string' ? shownText(inner, /^\d*$/.test(key) ? ownKey : key) : inner,
  );
  const text = shown ?? String(value);
  return text.length > SHOWN_CHARACTERS_MAX ? `${text.slice(0, SHOWN_CHARACTERS_MAX)}…` : text;
}

function shownText(text: string, key: string): string {
  if (isReference(text)) return text;
  if (/key|secret|token|password/i.test(key)) return MASK;
  return /url|dsn/i.test(key) || text.includes('://') ? maskUrl(text) : text;
}

function isReference(text: string): boolean {
  return /^\$\{\w+\}$/.test(text);
}
