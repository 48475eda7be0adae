import { listAlerts } from '@tocsin/event-store';
import type { SmtpMail } from '@tocsin/testing';
import { expect } from 'vitest';
import { present } from './present.ts';
import { recipient } from './stage.ts';
import type { Stage } from './stage.ts';
import { waitUntil } from './wait-until.ts';

/** The text of a mail as one line, whatever the width at which it was wrapped. */
export const flat = ({ text }: SmtpMail): string => text.replaceAll(/\s+/g, ' ');

/** The mail went to the same people in the same conversation. */
export const expectAnswer = (mail: SmtpMail, first: SmtpMail): void => {
  expect(mail).toMatchObject({ to: [recipient], inReplyTo: first.messageId, references: [first.messageId] });
  expect(mail.subject).toBe(`Re: ${first.subject}`);
};

/** Nothing was told beside the mails taken. */
export const expectSilence = async (stage: Stage): Promise<void> => {
  await stage.quiet();
  expect(stage.takeMails().map(flat)).toEqual([]);
};

/** Waits until mails that nobody has taken yet, however many, say all of this; answers them. */
export const untilTold = async (stage: Stage, ...words: readonly string[]): Promise<readonly SmtpMail[]> => {
  const mails: SmtpMail[] = [];
  await waitUntil(
    `mails that say ${words.join(' and ')}`,
    () => {
      mails.push(...stage.takeMails());
      const texts = mails.map(flat).join('\n');
      return words.every((part) => texts.includes(part));
    },
    { describe: () => mails.map(flat) },
  );
  return mails;
};

/** The alert, where there is one and no other. */
export const onlyAlert = async ({ pool }: Pick<Stage, 'pool'>) => {
  const alerts = await listAlerts(pool, { limit: 10 });
  expect(alerts).toHaveLength(1);
  return present(alerts[0]);
};
