import { Buffer } from 'node:buffer';
import { itemsPerMessageMax } from '@tocsin/alert-model';
import type { DigestMessage } from '@tocsin/alert-model';
import { render } from 'react-email';
import { DigestMail } from './digest-mail.tsx';
import { digestText } from './digest-text.ts';
import { digestView } from './digest-view.ts';
import type { DigestView, Extent } from './digest-view.ts';

/** Largest HTML part, in bytes of UTF-8. Gmail cuts a mail off at 102 KB and hides the rest behind a link. */
export const htmlBytesMax = 100_000;
/** Items shown with every detail; a person reads a few in full and skims the rest. */
export const detailedItemsMax = 10;
/** Most times a message is rendered to fit; the last one shows a single item in brief, which always fits. */
const rendersMax = 12;

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
 * harmless visible text. HTML beyond `htmlBytesMax` is rendered again with less detail, then with fewer items, and the
 * mail says how many alerts it leaves out.
 */
export const renderDigest = async (message: DigestMessage): Promise<RenderedDigest> => {
  const items = Math.min(message.items.length, itemsPerMessageMax);
  let extent: Extent = { items, detailed: Math.min(items, detailedItemsMax) };
  for (let renders = 1; ; renders += 1) {
    const view = digestView(message, extent);
    const html = await renderHtml(view);
    const bytes = Buffer.byteLength(html);
    if (bytes <= htmlBytesMax || (extent.items <= 1 && extent.detailed === 0))
      return { subject: view.subject, html, text: digestText(view) };
    extent = renders + 1 >= rendersMax ? { items: 1, detailed: 0 } : smaller(extent, htmlBytesMax / bytes);
  }
};

const renderHtml = async (view: DigestView): Promise<string> => render(<DigestMail view={view} />);

// Detail goes first, since a short word on every alert is worth more than all about some of them.
const smaller = (extent: Extent, ratio: number): Extent => {
  if (extent.detailed > 0) return { ...extent, detailed: Math.floor(extent.detailed / 2) };
  return { items: Math.max(1, Math.min(extent.items - 1, Math.floor(extent.items * ratio * 0.95))), detailed: 0 };
};
