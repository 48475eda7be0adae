import { beforeFirstFailure, isSuspected, newsNoun } from '@tocsin/alert-model';
import type { DigestMessage, MessageItem } from '@tocsin/alert-model';
import { cleanLine } from './clean-text.ts';
import { counted, formatCount } from './format-count.ts';
import { shortTime } from './format-time.ts';
import { incidentView } from './incident-view.ts';
import type { IncidentView } from './incident-view.ts';
import { itemView } from './item-view.ts';
import type { ItemView } from './item-view.ts';
import { isRetracted } from './kind-label.ts';

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
  /** Set when it tells many alerts as one. */
  readonly incident: IncidentView | null;
  readonly sections: readonly { readonly heading: string; readonly items: readonly ItemView[] }[];
  /** What is not shown; null when all is. */
  readonly omitted: string | null;
  readonly footer: string;
}

/** Stands above items that take one line each. */
export const linesHint = 'In one line each; npx tocsin alerts show ID tells all:';

/** Order of the sections, most urgent first. */
const headings = [
  'Nobody has acknowledged',
  'Acknowledgement ended',
  'Keeps failing',
  'Comes and goes',
  'New',
  'Back again',
  'Worse than before',
  'Failing again',
  'Still wrong',
  'After a silence',
  'Since it was told',
  'Still open',
  'Failed and recovered',
  'Working again',
  'No longer wrong',
] as const;

const headingOf = (item: MessageItem): (typeof headings)[number] => {
  switch (item.kind) {
    case 'escalated':
      return 'Nobody has acknowledged';
    case 'lapsed':
      return 'Acknowledgement ended';
    case 'settled':
      return 'Keeps failing';
    case 'flapping':
      return 'Comes and goes';
    case 'new':
      return 'New';
    case 'regressed':
      return 'Back again';
    case 'worse':
      return 'Worse than before';
    case 'unsilenced':
      return 'After a silence';
    case 'open':
      return 'Still open';
    case 'again':
      return isSuspected(item) || beforeFirstFailure(item) !== null ? 'Still wrong' : 'Failing again';
    case 'update':
      return 'Since it was told';
    case 'recovered':
      return isRetracted(item) ? 'No longer wrong' : 'Failed and recovered';
    case 'resolved':
      return isRetracted(item) ? 'No longer wrong' : 'Working again';
    default:
      return item.kind satisfies never;
  }
};

/** The items in the order a reader needs them; inside a section the composer's order holds. */
export const orderItems = (items: readonly MessageItem[]): readonly MessageItem[] =>
  headings.flatMap((heading) => items.filter((item) => headingOf(item) === heading));

/** Puts a message into words. Pure; times are relative to `composedAt`. */
export const digestView = (message: DigestMessage, extent: Extent): DigestView => {
  const ordered = orderItems(message.items);
  const incident = incidentView(message);
  const views = ordered.slice(0, extent.items).map((item, index) => ({
    heading: headingOf(item),
    view: itemView(item, {
      composedAt: message.composedAt,
      detail: detailAt(index, extent),
      inIncident: incident !== null,
    }),
  }));
  const left = ordered.slice(extent.items).reduce((sum, item) => sum + item.alerts, message.omittedAlerts);
  return {
    subject: subjectLine(message),
    headline: cleanLine(message.headline, headlineCharactersMax) || cleanLine(message.subject, headlineCharactersMax),
    totals: totalsLine(message),
    composedAt: shortTime(message.composedAt),
    notices: message.notices.slice(0, noticesMax).map((notice) => cleanLine(notice, noticeCharactersMax)),
    incident,
    sections: headings
      .map((heading) => ({
        heading: incident === null ? heading : `${heading}, by cause`,
        items: views.filter((item) => item.heading === heading).map((item) => item.view),
      }))
      .filter((section) => section.items.length > 0),
    omitted:
      left > 0
        ? `${counted(left, 'more alert')} not shown here. List them all with: ${incident?.list.command ?? 'npx tocsin alerts list'}`
        : null,
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

const totalsLine = ({ totals, items, followUp, threadOpen = 0 }: DigestMessage): string =>
  [
    totals.failures > 0 &&
      counted(totals.failures, newsNoun(items)) + (totals.alerts > 1 ? ` in ${formatCount(totals.alerts)} alerts` : ''),
    totals.resolved > 0 && `${formatCount(totals.resolved)} ${items.some(isRetracted) ? 'over' : 'working again'}`,
    followUp && totals.resolved > 0 && threadOpen > 0 && `${formatCount(threadOpen)} open in this conversation`,
    totals.stillOpen > 0 && `${formatCount(totals.stillOpen)} still open`,
  ]
    .filter((part) => part !== false)
    .join(' · ');
