import { itemsPerMessageMax } from '@tocsin/alert-model';
import type { DigestMessage } from '@tocsin/alert-model';
import { digestText } from './digest-text.ts';
import { digestView } from './digest-view.ts';
import type { DigestView, Extent } from './digest-view.ts';
import { quotedPrintableBytes } from './quoted-printable-bytes.ts';

/**
 * Largest HTML and text of a mail together, in bytes as they are sent, that is in quoted-printable. With the headers a
 * mail stays below 100,000 bytes: Gmail cuts one off at 102 KB and hides the rest behind a link.
 */
export const partsBytesMax = 94_000;
/** Largest text part, in bytes as it is sent; the HTML may have what it leaves. Only headline and notices go beyond. */
export const textBytesMax = 20_000;
/** Items shown with every detail; a person reads a few in full and skims the rest. */
export const detailedItemsMax = 10;
/** Items shown in brief after those; beyond, one line each will do. */
export const briefItemsMax = 40;
/** Most times a part is rendered to fit; the last one shows a single item in one line, which always fits. */
const rendersMax = 20;

/** A message as an e-mail carries it. */
export interface RenderedDigest {
  /** One line of at most 150 characters, without control characters. */
  readonly subject: string;
  readonly html: string;
  readonly text: string;
}

/**
 * Renders a message as e-mail. The same message always gives the same mail.
 *
 * Whatever the fields hold (markup, line breaks, terminal and bidirectional controls, very long words), it comes out as
 * harmless visible text. A part that is too large is rendered again with less detail, then with fewer items, and says
 * how many alerts it leaves out; text and HTML may leave out different numbers.
 *
 * The first call loads React and react-email, which takes some 50 MB and a quarter of a second.
 */
export const renderDigest = async (message: DigestMessage): Promise<RenderedDigest> => {
  const { renderHtml } = await import('./render-html.tsx');
  const text = await fit(message, textBytesMax, async (view) => digestText(view));
  const html = await fit(message, partsBytesMax - text.bytes, renderHtml);
  return { subject: html.subject, html: html.content, text: text.content };
};

interface Part {
  readonly subject: string;
  readonly content: string;
  readonly bytes: number;
}

const fit = async (
  message: DigestMessage,
  bytesMax: number,
  render: (view: DigestView) => Promise<string>,
): Promise<Part> => {
  let extent = largest(message);
  for (let renders = 1; ; renders += 1) {
    const view = digestView(message, extent);
    const content = await render(view);
    const bytes = quotedPrintableBytes(content);
    if (bytes <= bytesMax || isSmallest(extent)) return { subject: view.subject, content, bytes };
    extent = renders + 1 >= rendersMax ? smallest : smaller(extent, bytesMax / bytes);
  }
};

const smallest: Extent = { items: 1, detailed: 0, brief: 0 };

const isSmallest = ({ items, detailed, brief }: Extent): boolean => items <= 1 && detailed === 0 && brief === 0;

const largest = (message: DigestMessage): Extent => {
  const items = Math.min(message.items.length, itemsPerMessageMax);
  // What is open has been told: a regular digest of it is skimmed.
  const detailed = message.purpose === 'heartbeat' ? 0 : Math.min(items, detailedItemsMax);
  return { items, detailed, brief: Math.min(items - detailed, briefItemsMax) };
};

// Detail goes first, since a short word on every alert is worth more than all about some of them. What is many times
// too large takes large steps, for each one costs a rendering.
const smaller = ({ items, detailed, brief }: Extent, ratio: number): Extent => {
  const share = Math.min(0.5, ratio);
  if (brief > 0) return { items, detailed, brief: ratio < 0.5 ? 0 : Math.floor(brief * share) };
  if (detailed > 1) return { items, detailed: Math.max(1, Math.floor(detailed * share)), brief };
  if (detailed === 1) return { items, detailed: 0, brief: 1 };
  return { items: Math.max(1, Math.min(items - 1, Math.floor(items * ratio * 0.95))), detailed, brief };
};
