import { cut } from '@tocsin/email-templates';

/**
 * The part of Slack's Block Kit that Tocsin uses (https://docs.slack.dev/reference/block-kit). Text of jobs goes into
 * plain text and rich text only, where no markup is read: nothing in it can mention anybody or hide behind a link.
 */
export type SlackBlock =
  | { readonly type: 'header'; readonly block_id?: string; readonly text: PlainText }
  | { readonly type: 'context'; readonly block_id?: string; readonly elements: readonly PlainText[] }
  | { readonly type: 'rich_text'; readonly block_id?: string; readonly elements: readonly RichPart[] }
  | { readonly type: 'actions'; readonly block_id?: string; readonly elements: readonly SlackButton[] };

export interface PlainText {
  readonly type: 'plain_text';
  /** `&`, `<` and `>` as entities: Slack decodes them in text objects. */
  readonly text: string;
  /** Never: `:name:` in a job's text stays as it is. */
  readonly emoji: false;
}

export type RichPart =
  | { readonly type: 'rich_text_section'; readonly elements: readonly RichElement[] }
  | { readonly type: 'rich_text_preformatted'; readonly elements: readonly RichElement[] }
  | {
      readonly type: 'rich_text_list';
      readonly style: 'bullet';
      readonly elements: readonly { readonly type: 'rich_text_section'; readonly elements: readonly RichElement[] }[];
    };

/** Text in rich text is literal: nothing is escaped, nothing is decoded. */
export type RichElement =
  | { readonly type: 'text'; readonly text: string; readonly style?: { readonly bold?: true; readonly code?: true } }
  | { readonly type: 'link'; readonly url: string; readonly text: string }
  | { readonly type: 'emoji'; readonly name: string };

export interface SlackButton {
  readonly type: 'button';
  readonly action_id: string;
  readonly text: PlainText;
  readonly style?: 'primary';
  /** Comes back with the click. */
  readonly value?: string;
  readonly url?: string;
}

/** Most blocks of a message. */
export const blocksMax = 50;
/** Longest text of a header, in characters. */
export const headerCharactersMax = 150;
/** Longest text of any other text object, in characters. */
export const textCharactersMax = 3_000;
/** Longest text of a button, in characters. */
export const buttonCharactersMax = 75;
/**
 * Most characters in all blocks and the fallback text of a message together. Slack refuses some 13,200 with
 * `msg_blocks_too_long`, a bound that it does not document (https://github.com/slackapi/bolt-js/issues/2509).
 */
export const messageCharactersMax = 12_000;

/** Text as Slack's text objects and its `text` fields take it: the three control characters of its markup as entities. */
export const escapeSlack = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** Escaped text of at most `charactersMax` characters, cut before it is escaped, so that no entity is cut. */
export const escapedWithin = (text: string, charactersMax: number): string => {
  let kept = Math.min(text.length, charactersMax);
  for (;;) {
    const escaped = escapeSlack(cut(text, kept));
    if (escaped.length <= charactersMax) return escaped;
    // An entity has at most five characters, so this many characters less are never too few by much.
    kept -= Math.max(1, Math.ceil((escaped.length - charactersMax) / 5));
  }
};

/** A plain text object. Slack refuses empty ones, so an empty text becomes a dash. */
export const plainText = (text: string, charactersMax: number): PlainText => ({
  type: 'plain_text',
  text: escapedWithin(text === '' ? '-' : text, charactersMax),
  emoji: false,
});

/** Literal text; empty when there is none, since Slack refuses empty elements. */
export const words = (text: string, style?: 'bold' | 'code'): readonly RichElement[] =>
  text === ''
    ? []
    : [
        {
          type: 'text',
          text: cut(text, textCharactersMax),
          ...(style === undefined ? {} : { style: style === 'bold' ? { bold: true } : { code: true } }),
        },
      ];

/** How many characters blocks hold, links included. */
export const charactersOf = (value: unknown): number => {
  if (typeof value !== 'object' || value === null) return 0;
  return Object.entries(value).reduce(
    (sum, [key, each]) =>
      sum + (typeof each === 'string' ? (countedFields.has(key) ? each.length : 0) : charactersOf(each)),
    0,
  );
};
const countedFields: ReadonlySet<string> = new Set(['text', 'url', 'value']);
