/**
 * How a digest looks as e-mail: subject, HTML and plain text of one message. Knows nothing of sending, and nothing of
 * how the message was composed.
 */
export { htmlBytesMax, renderDigest } from './render-digest.tsx';
export type { RenderedDigest } from './render-digest.tsx';
export { cleanLine } from './clean-text.ts';
export { orderItems } from './digest-view.ts';
