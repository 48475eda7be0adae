import { itemsPerMessageMax } from '@tocsin/alert-model';
import type { DigestMessage, MessageItem } from '@tocsin/alert-model';
import { cleanLine, digestView } from '@tocsin/email-templates';
import type { CauseView, DigestView, Extent, ItemView } from '@tocsin/email-templates';
import { incidentBlocks } from './incident-blocks.ts';
import { livingState } from './living-state.ts';
import {
  blocksMax,
  buttonCharactersMax,
  charactersOf,
  escapedWithin,
  headerCharactersMax,
  messageCharactersMax,
  plainText,
  textCharactersMax,
  words,
} from './slack-blocks.ts';
import type { RichElement, RichPart, SlackBlock, SlackButton } from './slack-blocks.ts';

/** A message as Slack takes it. `text` is what notifications and screen readers say. */
export interface SlackMessage {
  readonly text: string;
  readonly blocks: readonly SlackBlock[];
}

export interface RenderOptions {
  /** Whether clicks come back to Tocsin: without that a button would only fail. */
  readonly acknowledgeable: boolean;
  /** Identity that the Acknowledge button carries. */
  readonly deliveryId: string;
  /** A reply in a thread stands under its subject and does not repeat it. */
  readonly inThread: boolean;
}

/** What a click on Acknowledge is known by; see `parseSlackAction`. */
export const acknowledgeAction = 'tocsin_acknowledge';
/** Blocks of the living message that are replaced when its state changes. */
export const headerBlockId = 'tocsin_header';
export const stateBlockId = 'tocsin_state';
export const actionsBlockId = 'tocsin_actions';

/** What the identity of a delivery looks like: anything else could not be acknowledged by its button. */
export const deliveryIdentity = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Longest fallback text, in characters: what a notification shows of it is less. */
const fallbackCharactersMax = 1_000;
/** Longest message without blocks, in characters (https://docs.slack.dev/reference/methods/chat.postMessage#truncating). */
const plainCharactersMax = 3_900;
/** Items with every detail, and in brief; the others take one line. A chat is read in passing. */
const detailedItemsMax = 5;
const briefItemsMax = 15;
const smallestExtent: Extent = { items: 1, detailed: 0, brief: 0 };

/**
 * Renders a message as blocks, within Slack's limits: one that is too long is rendered again with less detail, then
 * with fewer items, and says how many alerts it leaves out. The same message always gives the same blocks.
 */
export const renderSlack = (message: DigestMessage, options: RenderOptions): SlackMessage => {
  const text = fallbackText(message);
  for (let extent = largestExtent(message); ; extent = smallerExtent(extent)) {
    const blocks = blocksOf(message, digestView(message, extent), options);
    if (
      (blocks.length <= blocksMax && text.length + charactersOf(blocks) <= messageCharactersMax) ||
      isSmallest(extent)
    )
      return { text, blocks };
  }
};

/** The same message as text alone, one line per item, for a Slack that refuses its blocks. */
export const renderSlackText = (message: DigestMessage): string => {
  const view = digestView(message, {
    items: Math.min(message.items.length, itemsPerMessageMax),
    detailed: 0,
    brief: 0,
  });
  const lines = [
    view.subject,
    view.headline,
    ...view.notices,
    ...view.sections.flatMap(({ heading, items }) => [`${heading}:`, ...items.map(({ line }) => `- ${line}`)]),
    view.omitted ?? '',
    view.totals,
  ];
  return escapedWithin(lines.filter((line) => line !== '').join('\n'), plainCharactersMax);
};

/** Header, state and buttons of a conversation's first message as they are now. */
export const headerBlock = (message: DigestMessage): SlackBlock => {
  const { prefix } = livingState(message);
  const subject = cleanLine(message.subject, headerCharactersMax) || 'Tocsin';
  return {
    type: 'header',
    block_id: headerBlockId,
    text: plainText(`${prefix}${subject}`, headerCharactersMax),
  };
};

export const stateBlock = (message: DigestMessage): SlackBlock => {
  const { emoji, text } = livingState(message);
  return {
    type: 'rich_text',
    block_id: stateBlockId,
    elements: [{ type: 'rich_text_section', elements: [{ type: 'emoji', name: emoji }, ...words(` ${text}`)] }],
  };
};

export const fallbackText = (message: DigestMessage): string => {
  const subject = cleanLine(message.subject, headerCharactersMax);
  const headline = cleanLine(message.headline, fallbackCharactersMax);
  const text = subject.includes(headline) ? subject : `${subject}: ${headline}`;
  return escapedWithin(text === '' ? 'Tocsin' : text, fallbackCharactersMax);
};

const largestExtent = (message: DigestMessage): Extent => {
  const items = Math.min(message.items.length, itemsPerMessageMax);
  const detailed = Math.min(items, detailedItemsMax);
  return { items, detailed, brief: Math.min(items - detailed, briefItemsMax) };
};

const isSmallest = ({ items, detailed, brief }: Extent): boolean => items <= 1 && detailed === 0 && brief === 0;

// Detail goes first, since a short word on every alert is worth more than all about some of them.
const smallerExtent = ({ items, detailed, brief }: Extent): Extent => {
  if (brief > 0) return { items, detailed, brief: Math.floor(brief / 2) };
  if (detailed > 1) return { items, detailed: Math.floor(detailed / 2), brief };
  if (detailed === 1) return { items, detailed: 0, brief: 1 };
  const fewer = Math.min(items - 1, Math.floor(items * 0.8));
  return fewer <= 1 ? smallestExtent : { items: fewer, detailed, brief };
};

const blocksOf = (message: DigestMessage, view: DigestView, options: RenderOptions): readonly SlackBlock[] => [
  ...(options.inThread ? [] : [headerBlock(message), stateBlock(message)]),
  // The subject stands above, unless this is a reply.
  ...(!options.inThread && view.subject.includes(view.headline)
    ? []
    : [richText([section(words(view.headline, 'bold'))])]),
  ...view.notices
    .slice(0, noticesShownMax)
    .map((notice) => richText([section([{ type: 'emoji', name: 'warning' }, ...words(` ${notice}`)])])),
  ...incidentBlocks(view.incident),
  ...view.sections.flatMap((one) => sectionBlocks(one, !(options.acknowledgeable && onlyItem(view) !== null))),
  ...(view.omitted === null ? [] : [richText([section(words(view.omitted))])]),
  {
    type: 'context',
    elements: [
      plainText([view.totals, view.composedAt].filter((part) => part !== '').join(' · '), textCharactersMax),
      plainText(view.footer, textCharactersMax),
    ],
  },
  ...actionBlocks(message, view, options),
];
const noticesShownMax = 5;

const sectionBlocks = (
  { heading, items }: DigestView['sections'][number],
  withWays: boolean,
): readonly SlackBlock[] => {
  const lines = items.filter(({ detail }) => detail === 'line');
  return [
    ...items
      .filter(({ detail }) => detail !== 'line')
      .map((item, index) => richText([...(index === 0 ? [headingPart(heading)] : []), ...itemParts(item, withWays)])),
    ...(lines.length === 0
      ? []
      : [
          richText([
            ...(lines.length === items.length ? [headingPart(heading)] : []),
            { type: 'rich_text_list', style: 'bullet', elements: lines.map((item) => section(words(item.line))) },
          ]),
        ]),
  ];
};

const headingPart = (heading: string): RichPart => section(words(`${heading}\n`, 'bold'));

const itemParts = (item: ItemView, withWays: boolean): readonly RichPart[] => {
  const facts = item.facts.map(({ label, value }) =>
    /since$/i.test(label) && item.span !== '' ? `${label}: ${value}, ${item.span}` : `${label}: ${value}`,
  );
  const links: readonly RichElement[] = (withWays ? item.links : []).flatMap(({ label, url }, index) => [
    ...words(index === 0 ? '\n' : ' · '),
    { type: 'link' as const, url, text: label },
  ]);
  return [
    section([
      { type: 'emoji', name: toneEmoji[item.tone] },
      ...words(` ${item.label}: `),
      ...words(item.title, 'bold'),
      ...words(item.job === null ? '' : `\n${item.job}`),
      ...words(item.story.map((line) => `\n${line}`).join('')),
    ]),
    ...item.causes.flatMap(causeParts),
    section([
      ...words([item.moreCauses ?? '', facts.join(' · ')].filter((line) => line !== '').join('\n')),
      ...links,
      ...(item.acknowledge === null || !withWays
        ? []
        : [...words(`\n${item.acknowledge.label}: `), ...words(item.acknowledge.command, 'code')]),
    ]),
  ].filter(({ elements }) => elements.length > 0);
};

const toneEmoji: Readonly<Record<ItemView['tone'], string>> = {
  critical: 'red_circle',
  error: 'red_circle',
  warning: 'large_yellow_circle',
  info: 'large_blue_circle',
  good: 'large_green_circle',
};

const causeParts = (cause: CauseView): readonly RichPart[] => [
  ...(cause.count === null ? [] : [section(words(`${cause.count}:`))]),
  ...(cause.error === null
    ? []
    : [
        cause.isSentence
          ? section(words(cause.error))
          : { type: 'rich_text_preformatted' as const, elements: words(cause.error) },
      ]),
  ...(cause.jobs.length === 0 && cause.more === null
    ? []
    : [
        {
          type: 'rich_text_list' as const,
          style: 'bullet' as const,
          elements: [
            ...cause.jobs.map((job) =>
              section([
                ...(job.url === null ? words(job.name) : [{ type: 'link' as const, url: job.url, text: job.name }]),
                ...words(job.facts === '' ? '' : ` (${job.facts})`),
              ]),
            ),
            ...(cause.more === null ? [] : [section(words(cause.more.text))]),
          ],
        },
      ]),
];

const richText = (elements: readonly RichPart[]): SlackBlock => ({ type: 'rich_text', elements });
const section = (
  elements: readonly RichElement[],
): { readonly type: 'rich_text_section'; readonly elements: readonly RichElement[] } => ({
  type: 'rich_text_section',
  elements,
});

// One button acknowledges all that this message tells; links of several items stand beside each of them.
const actionBlocks = (message: DigestMessage, view: DigestView, options: RenderOptions): readonly SlackBlock[] => {
  if (!options.acknowledgeable) return [];
  const waiting = message.items.filter(waitsForSomebody);
  const several = waiting.length > 1 || waiting.some(({ alerts }) => alerts > 1) || message.omittedAlerts > 0;
  const buttons: readonly SlackButton[] = [
    ...(waiting.length > 0 && deliveryIdentity.test(options.deliveryId)
      ? [
          {
            type: 'button' as const,
            action_id: acknowledgeAction,
            text: plainText(several ? 'Acknowledge all' : 'Acknowledge', buttonCharactersMax),
            style: 'primary' as const,
            value: options.deliveryId,
          },
        ]
      : []),
    ...(onlyItem(view)?.links ?? []).map(({ label, url }, index) => ({
      type: 'button' as const,
      action_id: `tocsin_link_${index}`,
      text: plainText(label, buttonCharactersMax),
      url,
    })),
  ];
  return buttons.length === 0 ? [] : [{ type: 'actions', block_id: actionsBlockId, elements: buttons }];
};

/** The item of a message that tells of one thing alone. */
const onlyItem = ({ sections }: DigestView): ItemView | null => {
  const [only, ...others] = sections.flatMap(({ items }) => items);
  return only === undefined || others.length > 0 ? null : only;
};

/** Whether an acknowledgement would say anything about it. */
const waitsForSomebody = ({ kind, acknowledgedBy }: MessageItem): boolean =>
  acknowledgedBy === null && !['recovered', 'resolved', 'update', 'open'].includes(kind);
