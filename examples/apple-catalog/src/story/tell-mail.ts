import path from 'node:path';
import { findMail, type OutboxMail } from './outbox-mail.ts';
import type { Stage } from './stage.ts';
import { StoryError } from './story-error.ts';
import { findRecordedFailure, findResolution, findTold } from './told.ts';
import { waitFor } from './wait-for.ts';

/** An alert and the mail that told of it. */
export interface ToldAlert {
  readonly alertId: string;
  readonly mail: OutboxMail;
}

/** Waits until the failures of these jobs were told, and shows the mail. */
export async function tellFailureMail(stage: Stage, jobIds: readonly string[]): Promise<ToldAlert> {
  const { db, narrator } = stage;
  const failure = await waitFor('the failures to be recorded in one alert', () => findRecordedFailure(db, jobIds));
  const recorded = jobIds.length === 1 ? 'it' : `${jobIds.length} failures`;
  narrator.say(`Tocsin has recorded ${recorded} in one alert, ${failure.alertId};`);
  narrator.detail('the mail goes out when the digest window closes, 3 s after it opened.');
  const mail = await waitForMail(stage, failure.alertId, failure.recordedAt);
  showMail(stage, 'One mail is in the local mailbox', mail);
  narrator.detail(`Look at: the .html file in a browser; npx tocsin alerts show ${failure.alertId}`);
  return { alertId: failure.alertId, mail };
}

/** Waits until the end of this alert was told, shows the notice, and checks that it threads under the first mail. */
export async function tellResolutionMail(stage: Stage, told: ToldAlert): Promise<void> {
  const { db, narrator } = stage;
  const { resolvedAt } = await waitFor('the alert to be resolved', () => findResolution(db, told.alertId));
  narrator.say('The alert is resolved. Those who were told of the failure are told of its end:');
  const notice = await waitForMail(stage, told.alertId, resolvedAt);
  showMail(stage, 'One resolution notice', notice);
  if (!notice.references.includes(told.mail.messageId)) {
    throw new StoryError(`${notice.file} does not thread under ${told.mail.file}: its References lack the Message-ID`);
  }
  narrator.say(`Its References header holds ${told.mail.messageId},`);
  narrator.detail('the Message-ID of the first mail: a mail program shows both as one conversation.');
}

async function waitForMail(stage: Stage, alertId: string, after: Date): Promise<OutboxMail> {
  const { messageId } = await waitFor('a channel to accept the mail', () => findTold(stage.db, alertId, after));
  return waitFor(`the mail ${messageId} in ${stage.outboxDirectory}`, () => findMail(stage.outboxDirectory, messageId));
}

/** Prints where a mail is and its text part. */
export function showMail(stage: Pick<Stage, 'narrator'>, title: string, mail: OutboxMail): void {
  stage.narrator.say(`${title}: ${fromHere(mail.file)}`);
  stage.narrator.detail(`in a browser: ${fromHere(mail.htmlFile)}`);
  stage.narrator.quote(mail.text);
}

function fromHere(file: string): string {
  const relative = path.relative(process.cwd(), file);
  return relative.startsWith('..') ? file : relative;
}
