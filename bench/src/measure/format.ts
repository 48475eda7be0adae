/** Numbers as the tables print them. */

/** `12,345` */
export const formatCount = (value: number): string => Math.round(value).toLocaleString('en-US');

/** Seconds with two digits, from milliseconds: `1.25 s` */
export const formatSeconds = (ms: number): string => `${(ms / 1_000).toFixed(2)} s`;

/** `12.3 ms` */
export const formatMs = (ms: number): string => `${ms.toFixed(ms < 10 ? 2 : 1)} ms`;

/** Mebibytes, as operators read memory: `163 MB` */
export const formatMegabytes = (bytes: number): string =>
  `${(bytes / 1_048_576).toFixed(bytes < 10_485_760 ? 1 : 0)} MB`;

/** `61.5 KB` */
export const formatKilobytes = (bytes: number): string => `${(bytes / 1_024).toFixed(1)} KB`;

/** `1.32 ×` */
export const formatRatio = (ratio: number): string => `${ratio.toFixed(2)} ×`;
