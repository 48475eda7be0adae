import { Option } from 'commander';
import type { Command } from 'commander';
import type { ExportOptions } from '../commands/events-export.ts';
import type { TailOptions } from '../commands/events-tail.ts';
import type { ReplayOptions } from '../commands/replay.ts';
import type { ProgramContext } from '../program.ts';
import { instant, jsonOption, wholeNumber } from './option-parsers.ts';

const tailDefault = 20;
const tailMax = 10_000;

/** `replay`, `events …`, `machine`: what was, and why. */
export const defineHistory = (program: Command, { invocation, finish }: ProgramContext): void => {
  program.commandsGroup('History:');

  program
    .command('replay')
    .argument('[alert]', 'alert, by id or key')
    .summary('fold the events of an alert, or of all, again')
    .description(
      'Folds events again and shows the state before and after each. Nothing is sent and nothing is changed: effects are ' +
        'dropped. With --all the whole log is folded and counted; --verify compares the result with the read models.',
    )
    .option('--all', 'the whole log')
    .option('--file <bundle>', 'from a bundle of "tocsin events export"; needs no database')
    .addOption(
      new Option('--until <time>', 'only what happened up to then (UTC)')
        .argParser(instant)
        .conflicts(['verify', 'position']),
    )
    .addOption(
      new Option('--position <n>', 'only up to this position of the log')
        .argParser(wholeNumber(0, Number.MAX_SAFE_INTEGER))
        .conflicts(['verify']),
    )
    .option('--verify', 'compare with the read models; exit 1 when they differ')
    .addOption(jsonOption())
    .action(async (alert: string | undefined, options: ReplayOptions, command: Command) =>
      finish(await (await import('../commands/replay.ts')).replay(invocation(command), alert, options)),
    );

  const events = program
    .command('events')
    .summary('look at the log, or take it along')
    .description('Shows or exports the log of events.');
  events
    .command('tail')
    .summary('the latest events')
    .description('Shows the latest events, oldest first. With --json: one JSON object per line.')
    .option('-f, --follow', 'go on with what happens next, until Ctrl-C')
    .addOption(new Option('--limit <n>', 'how many').default(tailDefault).argParser(wholeNumber(0, tailMax)))
    .addOption(jsonOption())
    .action(async (options: TailOptions, command: Command) =>
      finish(await (await import('../commands/events-tail.ts')).tailEvents(invocation(command), options)),
    );
  events
    .command('export')
    .summary('write a bundle for "tocsin replay --file"')
    .description(
      'Writes events as NDJSON: a header line, then one event per line. Error texts in it are redacted as everywhere, but ' +
        'names of jobs are not.',
    )
    .option('--file <file>', 'where to (default: standard output)')
    .addOption(
      new Option('--since <time>', 'only alerts and digests with an event since then, each from its beginning')
        .argParser(instant)
        .conflicts(['alert']),
    )
    .option('--alert <id>', 'only this alert and its digests')
    .action(async (options: ExportOptions, command: Command) =>
      finish(await (await import('../commands/events-export.ts')).exportEvents(invocation(command), options)),
    );

  program
    .command('machine')
    .summary('the lifecycle of an alert')
    .description(
      'Prints the lifecycle of an alert as it is built in: as a Mermaid diagram, or every transition as JSON.',
    )
    .addOption(new Option('--mermaid', 'a Mermaid state diagram (the default)').conflicts(['json']))
    .option('--json', 'every transition')
    .action(async (options: { readonly json?: boolean }, command: Command) =>
      finish(await (await import('../commands/machine.ts')).machine(invocation(command), options)),
    );
};
