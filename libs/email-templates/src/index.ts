/**
 * How a digest looks as e-mail: subject, HTML and plain text of one message. Knows nothing of sending, and nothing of
 * how the message was composed.
 */
export { partsBytesMax, renderDigest } from './render-digest.ts';
export type { RenderedDigest } from './render-digest.ts';
export { cleanLine, cut } from './clean-text.ts';
// What other formats than mail lay out: the same words, clean and bounded, with nothing escaped yet.
export { digestView, orderItems } from './digest-view.ts';
export type { DigestView, Extent } from './digest-view.ts';
export type { CauseView } from './cause-view.ts';
export type { ItemView } from './item-view.ts';
export { counted, formatCount } from './format-count.ts';
export { formatDuration, shortTime } from './format-time.ts';
