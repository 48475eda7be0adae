import type { DigestMessage, ItemKind, MessageItem } from '@tocsin/alert-model';
import { cleanLine } from './clean-text.ts';
import { counted, formatCount } from './format-count.ts';
import { shortTime } from './format-time.ts';
import { itemView } from './item-view.ts';
import type { ItemView } from './item-view.ts';

/** Longest subject, in characters, `Re: ` included (RFC 5322, section 2.1.1 allows longer ones; phones do not show them). */
export const subjectCharactersMax = 150;
const replyPrefix = 'Re: ';
const headlineCharactersMax = 300;
const noticesMax = 5;
const noticeCharactersMax = 400;
const routeCharactersMax = 60;

/** How much of a message is shown. */
export interface Extent {
  /** Items shown at all; the rest is counted. */
  readonly items: number;
  /** How many of them, from the first, with every detail. */
  readonly detailed: number;
  /** How many after those in brief; the others take one line each. */
  readonly brief: number;
}

/** A message in words, ready to be laid out: every text is clean and bounded, nothing is escaped yet. */
export interface DigestView {
  readonly subject: string;
  readonly headline: string;
  /** `3 failures · 4 still open`; empty when there is nothing to count. */
  readonly totals: string;
  readonly composedAt: string;
  readonly notices: readonly string[];
  readonly sections: readonly { readonly heading: string; readonly items: readonly ItemView[] }[];
  /** What is not shown; null when all is. */
  readonly omitted: string | null;
  readonly footer: string;
}

/** Stands above items that take one line each. */
export const linesHint = 'In one line each; npx tocsin alerts show ID tells all:';

/** Order of the sections, most urgent first. */
const sectionOrder: readonly { readonly kind: ItemKind; readonly heading: string }[] = [
  { kind: 'escalated', heading: 'Nobody has acknowledged' },
  { kind: 'lapsed', heading: 'Acknowledgement ended' },
  { kind: 'new', heading: 'New' },
  { kind: 'again', heading: 'Failing again' },
  { kind: 'recovered', heading: 'Failed and recovered' },
  { kind: 'resolved', heading: 'Working again' },
];

/** The items in the order a reader needs them; inside a section the composer's order holds. */
export const orderItems = (items: readonly MessageItem[]): readonly MessageItem[] =>
  sectionOrder.flatMap(({ kind }) => items.filter((item) => item.kind === kind));

/** Puts a message into words. Pure; times are relative to `composedAt`. */
export const digestView = (message: DigestMessage, extent: Extent): DigestView => {
  const ordered = orderItems(message.items);
  const views = ordered.slice(0, extent.items).map((item, index) => ({
    kind: item.kind,
    view: itemView(item, { composedAt: message.composedAt, detail: detailAt(index, extent) }),
  }));
  const left = ordered.slice(extent.items).reduce((sum, item) => sum + item.alerts, message.omittedAlerts);
  return {
    subject: subjectLine(message),
    headline: cleanLine(message.headline, headlineCharactersMax) || cleanLine(message.subject, headlineCharactersMax),
    totals: totalsLine(message),
    composedAt: shortTime(message.composedAt),
    notices: message.notices.slice(0, noticesMax).map((notice) => cleanLine(notice, noticeCharactersMax)),
    sections: sectionOrder
      .map(({ kind, heading }) => ({
        heading,
        items: views.filter((item) => item.kind === kind).map((item) => item.view),
      }))
      .filter((section) => section.items.length > 0),
    omitted:
      left > 0 ? `${counted(left, 'more alert')} not shown here. List them all with: npx tocsin alerts list` : null,
    footer: `Sent by Tocsin, route ${cleanLine(message.route, routeCharactersMax)}. All times are UTC.`,
  };
};

const detailAt = (index: number, { detailed, brief }: Extent): ItemView['detail'] =>
  index < detailed ? 'full' : index < detailed + brief ? 'brief' : 'line';

// Always cut to what fits behind `Re: `, so that every message of a thread carries the same subject: mail programs
// split a conversation when it changes.
const subjectLine = (message: DigestMessage): string => {
  const subject = cleanLine(message.subject, subjectCharactersMax - replyPrefix.length) || 'Tocsin';
  return message.followUp ? `${replyPrefix}${subject}` : subject;
};

const totalsLine = ({ totals }: DigestMessage): string =>
  [
    totals.failures > 0 &&
      counted(totals.failures, 'failure') + (totals.alerts > 1 ? ` in ${formatCount(totals.alerts)} alerts` : ''),
    totals.resolved > 0 && `${formatCount(totals.resolved)} working again`,
    totals.stillOpen > 0 && `${formatCount(totals.stillOpen)} still open`,
  ]
    .filter((part) => part !== false)
    .join(' · ');
