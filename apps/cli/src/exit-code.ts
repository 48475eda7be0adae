/** What a command's end says: it went well, it found a problem (or failed), or it was called or configured wrongly. */
export const exitCodes = { fine: 0, problem: 1, usage: 2 } as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];
