import { MASK, maskUrl } from './mask-url.ts';

const SHOWN_CHARACTERS_MAX = 80;

/**
 * A value from the file as a problem may show it. `value` must be taken before references to variables are filled in,
 * so what comes from the environment never shows. Of what is written out, keys and secrets are masked, URLs lose their
 * passwords, and long text is cut.
 */
export function shownValue(path: readonly PropertyKey[], value: unknown): string {
  const key = String(path.findLast((part) => typeof part === 'string') ?? '');
  if (/key|secret|token|password/i.test(key) && typeof value === 'string' && !isReference(value)) return MASK;
  const text =
    JSON.stringify(value, (_, inner: unknown) =>
      typeof inner === 'string' ? shownText(inner, /url/i.test(key)) : inner,
    ) ?? String(value);
  return text.length > SHOWN_CHARACTERS_MAX ? `${text.slice(0, SHOWN_CHARACTERS_MAX)}…` : text;
}

function shownText(text: string, isUrl: boolean): string {
  if (isReference(text)) return text;
  return isUrl || text.includes('://') ? maskUrl(text) : text;
}

function isReference(text: string): boolean {
  return /^\$\{\w+\}$/.test(text);
}
