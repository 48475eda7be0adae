/**
 * How a digest looks as e-mail: subject, HTML and plain text of one message. Knows nothing of sending, and nothing of
 * how the message was composed.
 */
export { partsBytesMax, renderDigest } from './render-digest.ts';
export type { RenderedDigest } from './render-digest.ts';
export { cleanLine } from './clean-text.ts';
export { orderItems } from './digest-view.ts';
