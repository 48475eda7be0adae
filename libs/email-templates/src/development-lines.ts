import { developmentWords, isNoRow, jobOfDevelopment } from '@tocsin/alert-model';
import type { MessageDevelopment, MessageItem } from '@tocsin/alert-model';
import { cleanLine } from './clean-text.ts';
import { counted } from './format-count.ts';
import { timeNear } from './format-time.ts';

const developmentsShownMax = 5;
const nameCharactersMax = 80;
const lineCharactersMax = 400;

/** What became of the jobs of an item since they were told, oldest first, each with its time. Clean text. */
export const developmentLines = (item: MessageItem): readonly string[] => {
  const developments = item.developments ?? [];
  const shown = developments.slice(-developmentsShownMax);
  const more = developments.length - shown.length + (item.moreDevelopments ?? 0);
  return [
    ...(more > 0 ? [`${counted(more, 'earlier change')} not shown here.`] : []),
    ...shown.map((one) => {
      const words = cleanLine(developmentWords(whoOf(item, one), one), lineCharactersMax);
      return `${timeNear(one.at, item.since)}: ${words}.`;
    }),
  ];
};

/** `songs (job 4711)`, `job 4711` where the title names its target, or `it` for what is no row of its own. */
const whoOf = (item: MessageItem, development: MessageDevelopment): string => {
  if (isNoRow(development.jobId)) return 'it';
  const id = `job ${cleanLine(development.jobId, nameCharactersMax)}`;
  const job = jobOfDevelopment(item, development);
  const parts = job === null ? [] : [job.jobType === item.jobType ? null : job.jobType, job.targetId];
  const name = parts.filter((part) => part !== null).join('/');
  return name === '' || item.title.endsWith(name) ? id : `${cleanLine(name, nameCharactersMax)} (${id})`;
};
