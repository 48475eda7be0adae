/** What stands where text was cut off. */
const ellipsis = '…';

/** ECMA-48 control sequences: CSI (`ESC [ … m`), OSC (`ESC ] … BEL`), and the two-character escapes. */
const terminalSequences =
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for.
  /(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]?|\u001b\][^\u0007\u001b\u009c]*(?:\u0007|\u001b\\|\u009c)?|\u001b[ -/]*[0-~]?/g;

/** C0 and C1 controls except tab and line feed. */
// oxlint-disable-next-line no-control-regex -- control characters are what is looked for.
const controls = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;

/**
 * Characters that are not seen but change what is: soft hyphen, bidirectional marks, embeddings and isolates (Unicode
 * Technical Report 36, section 2.3.1), zero-width spaces and joiners, variation selectors, invisible fillers and tags.
 */
const invisible =
  // oxlint-disable-next-line no-misleading-character-class -- combining characters are what is looked for.
  /[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffc]|[\u{e0000}-\u{e0fff}]/gu;

/**
 * Text of unknown origin as one harmless line of at most `charactersMax` UTF-16 units: no control or invisible
 * characters, white space collapsed, cut with an ellipsis. May return the empty string. Markup stays as it is; escaping
 * is the business of the output format.
 */
export const cleanLine = (text: string, charactersMax: number): string =>
  cut(visible(text, charactersMax).replace(/\s+/g, ' ').trim(), charactersMax);

/** Like `cleanLine`, but keeps line breaks and indentation; runs of empty lines become one, tabs become two blanks. */
export const cleanBlock = (text: string, charactersMax: number): string =>
  cut(
    visible(text, charactersMax)
      .replace(/\t/g, '  ')
      .replace(/[^\S\n]+\n/g, '\n')
      .replace(/\n{3,}/g, '\n\n')
      .replace(/^\n+|\s+$/g, ''),
    charactersMax,
  );

/** Cuts at `charactersMax` UTF-16 units, never inside a surrogate pair; an ellipsis takes the last place. */
export const cut = (text: string, charactersMax: number): string => {
  if (text.length <= charactersMax) return text;
  return `${text
    .slice(0, charactersMax - 1)
    .toWellFormed()
    .replace(/\ufffd$/, '')
    .trimEnd()}${ellipsis}`;
};

// The input is cut generously before it is searched, so that the work depends on what is shown and not on what came.
const visible = (text: string, charactersMax: number): string =>
  text
    .slice(0, charactersMax * 8 + 1_000)
    .toWellFormed()
    .replace(/\r\n?|[\u2028\u2029]/g, '\n')
    .replace(terminalSequences, '')
    .replace(controls, ' ')
    .replace(invisible, '');

/** Longest link, in characters; a longer one is dropped, since half a link is of no use. */
export const urlCharactersMax = 2_000;

/** The link if it is a plain http or https address, else null. What is returned is ASCII without blanks. */
export const cleanUrl = (text: string | null): string | null => {
  if (text === null || text.length > urlCharactersMax) return null;
  const url = URL.parse(text);
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:')) return null;
  return url.href.length > urlCharactersMax ? null : url.href;
};
