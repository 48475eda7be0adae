import { Option } from 'commander';
import type { Command } from 'commander';
import type { TestChannelOptions } from '../commands/channels-test.ts';
import type { ListDeliveriesOptions } from '../commands/deliveries-list.ts';
import type { RetryDeliveriesOptions } from '../commands/deliveries-retry.ts';
import type { AddSilenceOptions } from '../commands/silences-add.ts';
import type { EndSilenceOptions } from '../commands/silences-end.ts';
import type { ListSilencesOptions } from '../commands/silences-list.ts';
import type { ProgramContext } from '../program.ts';
import { instant, jsonOption, severities, someOf, wholeNumber } from './option-parsers.ts';

/** Most that one list shows; one less than the store gives, which is asked for one more. */
const silencesMax = 999;
const deliveriesMax = 499;
const listDefault = 50;
const by = ['--by <name>', 'who decides (default: the user of this shell)'] as const;
const limit = (most: number): Option =>
  new Option('--limit <n>', 'how many').default(listDefault).argParser(wholeNumber(1, most));

/** `silences …`, `deliveries …`, `channels …`: who is told, and whether it arrives. */
export const defineTelling = (program: Command, context: ProgramContext): void => {
  program.commandsGroup('Telling:');
  defineSilences(program, context);
  defineDeliveries(program, context);
  defineChannels(program, context);
};

const defineSilences = (program: Command, { invocation, finish }: ProgramContext): void => {
  const silences = program
    .command('silences')
    .summary('mute alerts for a time')
    .description(
      'Mutes alerts until an end. What happens meanwhile is recorded, and told afterwards if it still matters.',
    );
  silences
    .command('list')
    .summary('silences that are, or will be')
    .description('Lists silences that are in force or still to begin.')
    .option('--all', 'those that have ended too')
    .addOption(limit(silencesMax))
    .addOption(jsonOption())
    .action(async (options: ListSilencesOptions, command: Command) =>
      finish(await (await import('../commands/silences-list.ts')).listSilences(invocation(command), options)),
    );
  silences
    .command('add')
    .summary('mute what matches')
    .description(
      'Mutes alerts that match, open ones and new ones, until an end. Patterns know * only. ' +
        'Those who were told of a failure are told of its recovery nevertheless.',
    )
    .option('--source <pattern...>', 'only of these sources')
    .option('--job-type <pattern...>', 'only of these job types')
    .option('--target <pattern...>', 'only for these targets')
    .option('--kind <kind...>', 'only failures of these kinds, such as stuck')
    .option('--severity <severity>', `only these, separated by commas: ${severities.join(', ')}`, someOf(severities))
    .addOption(
      new Option('--for <duration>', 'for so long, such as 90s, 15m, 2h').conflicts(['until', 'untilResolved']),
    )
    .addOption(
      new Option('--until <time>', 'until then (UTC), such as 2026-03-02T09:00Z')
        .argParser(instant)
        .conflicts(['untilResolved']),
    )
    .option('--until-resolved', 'until the open alerts that match are resolved; new ones are not muted')
    .addOption(new Option('--from <time>', 'begin then (UTC) instead of now').argParser(instant))
    .option('--reason <text>', 'why, for the others')
    .option(...by)
    .addOption(jsonOption())
    .action(async (options: AddSilenceOptions, command: Command) =>
      finish(await (await import('../commands/silences-add.ts')).addSilenceCommand(invocation(command), options)),
    );
  silences
    .command('end')
    .argument('<id...>', 'silences, shortened to 4 characters or more')
    .summary('end silences before their time')
    .description('Ends silences before their time. What happened under them is told.')
    .option(...by)
    .addOption(jsonOption())
    .action(async (ids: string[], options: EndSilenceOptions, command: Command) =>
      finish(await (await import('../commands/silences-end.ts')).endSilences(invocation(command), ids, options)),
    );
};

const defineDeliveries = (program: Command, { invocation, finish }: ProgramContext): void => {
  const deliveries = program
    .command('deliveries')
    .summary('messages on their way, given up, sent again')
    .description('Shows messages to channels and sends again those that were given up.');
  deliveries
    .command('list')
    .summary('messages that no channel took')
    .description('Lists messages that were given up and that no other channel took over. Exit 1 if there are any.')
    .addOption(
      new Option('--state <state>', 'dead: given up; waiting: still tried; all')
        .choices(['dead', 'waiting', 'all'])
        .default('dead'),
    )
    .option('--channel <name>', 'only to this channel')
    .addOption(limit(deliveriesMax))
    .addOption(jsonOption())
    .action(async (options: ListDeliveriesOptions, command: Command) =>
      finish(await (await import('../commands/deliveries-list.ts')).listDeliveries(invocation(command), options)),
    );
  deliveries
    .command('retry')
    .argument('[id...]', 'deliveries, shortened to 4 characters or more')
    .summary('send again, once the channel is repaired')
    .description('Sends messages again that were given up, and tries those that wait at once.')
    .option('--all', 'all that were given up')
    .option('--channel <name>', 'with --all: only those to this channel')
    .option(...by)
    .addOption(jsonOption())
    .action(async (ids: string[], options: RetryDeliveriesOptions, command: Command) =>
      finish(
        await (await import('../commands/deliveries-retry.ts')).retryDeliveries(invocation(command), ids, options),
      ),
    );
};

const defineChannels = (program: Command, { invocation, finish }: ProgramContext): void => {
  const channels = program.command('channels').summary('test a channel').description('Tests the ways to tell people.');
  channels
    .command('test')
    .argument('<name>', 'channel, as in tocsin.yaml')
    .summary('does a message get through?')
    .description(
      'Checks the settings of a channel (login, or the sandbox of SendGrid) and sends a test message that says it is one.',
    )
    .option('--check', 'only check the settings; tell nobody')
    .addOption(jsonOption())
    .action(async (name: string, options: TestChannelOptions, command: Command) =>
      finish(await (await import('../commands/channels-test.ts')).testChannel(invocation(command), name, options)),
    );
};
