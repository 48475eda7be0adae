import { endSilence } from '@tocsin/alert-service';
import { requireOne } from '../database/require-one.ts';
import { withDatabase } from '../database/with-database.ts';
import { withService } from '../database/with-service.ts';
import { exitCodes } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';
import { shortId } from '../printing/job-name.ts';
import { counted, printLines } from '../printing/lines.ts';
import { printJson } from '../printing/print-json.ts';
import type { Invocation } from '../terminal.ts';
import { userName } from './user-name.ts';

export interface EndSilenceOptions {
  readonly by?: string;
  readonly json?: boolean;
}

/** `tocsin silences end` */
export const endSilences = (
  invocation: Invocation,
  asked: readonly string[],
  options: EndSilenceOptions,
): Promise<ExitCode> =>
  withDatabase(invocation, async (database) => {
    const { terminal } = invocation;
    const results = await withService(database, terminal, async (context) => {
      // All of them are looked for before one is ended.
      const ids: string[] = [];
      for (const one of asked) ids.push(await requireOne(database.pool, 'silence', one));
      const collected = [];
      for (const id of ids)
        collected.push({ id, ...(await endSilence(context, id, options.by ?? userName(terminal))) });
      return collected;
    });
    if (options.json === true) printJson(terminal, results);
    else
      for (const result of results) {
        if (result.done)
          printLines(terminal, [`${shortId(result.id)}  ended; ${counted(result.alerts, 'alert')} heard again`]);
        else terminal.complain(`tocsin: ${shortId(result.id)} was not ended: ${result.refused}\n`);
      }
    return results.every(({ done }) => done) ? exitCodes.fine : exitCodes.problem;
  });
