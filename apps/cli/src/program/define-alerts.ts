import { Option } from 'commander';
import type { Command } from 'commander';
import type { AckOptions } from '../commands/alerts-ack.ts';
import type { ExplainOptions } from '../commands/alerts-explain.ts';
import type { ListOptions } from '../commands/alerts-list.ts';
import type { ByOptions } from '../commands/alert-commands.ts';
import type { ProgramContext } from '../program.ts';
import { instant, jsonOption, someOf, wholeNumber } from './option-parsers.ts';

const states = ['detected', 'batched', 'notified', 'acknowledged', 'resolved'];
/** Most alerts that one list shows. */
const listMax = 1_000;
const listDefault = 50;
/** Most further failures an acknowledgement can be given for. */
const leaseFailuresMax = 10_000;

/** `alerts …`: what people ask and decide. */
export const defineAlerts = (program: Command, { invocation, finish }: ProgramContext): void => {
  program.commandsGroup('Alerts:');
  const alerts = program
    .command('alerts')
    .summary('list, show, acknowledge, resolve, explain')
    .description(
      'Shows alerts and takes decisions about them. An ID may be shortened to 4 characters or more, or be a key.',
    );

  alerts
    .command('list')
    .summary('open alerts, the latest failure first')
    .description('Lists the open alerts, the latest failure first.')
    .option('--all', "resolved ones too, and Tocsin's own canaries")
    .option('--state <state>', `only these, separated by commas: ${states.join(', ')}`, someOf(states))
    .option('--source <source>', 'only of this source')
    .option('--key <key>', 'only of this key')
    .addOption(new Option('--limit <n>', 'how many').default(listDefault).argParser(wholeNumber(1, listMax)))
    .addOption(jsonOption())
    .action(async (options: ListOptions, command: Command) =>
      finish(await (await import('../commands/alerts-list.ts')).listAlertsCommand(invocation(command), options)),
    );

  alerts
    .command('show')
    .argument('<id>', 'alert')
    .summary('everything about one alert')
    .description('Shows one alert: what failed, since when, who was told, who has it, and how it came so.')
    .addOption(jsonOption())
    .action(async (id: string, options: { readonly json?: boolean }, command: Command) =>
      finish(await (await import('../commands/alerts-show.ts')).showAlert(invocation(command), id, options)),
    );

  const by = ['--by <name>', 'who decides (default: the user of this shell)'] as const;
  const note = ['--note <text>', 'a note for the others'] as const;
  alerts
    .command('ack')
    .argument('<id...>', 'alerts')
    .summary('take alerts: nobody else is told meanwhile')
    .description(
      'Acknowledges alerts. It holds until the work succeeds; without further options it also ends when the same work ' +
        'fails for another reason.',
    )
    .option(...by)
    .addOption(
      new Option('--for <duration>', 'hold for so long, such as 90s, 15m, 2h').conflicts([
        'until',
        'untilFailures',
        'untilSuccess',
        'untilSignatureChange',
      ]),
    )
    .addOption(
      new Option('--until <time>', 'hold until then (UTC), such as 2026-03-02T09:00Z')
        .argParser(instant)
        .conflicts(['untilFailures', 'untilSuccess', 'untilSignatureChange']),
    )
    .addOption(
      new Option('--until-failures <n>', 'hold until it has failed so many times more')
        .argParser(wholeNumber(1, leaseFailuresMax))
        .conflicts(['untilSuccess', 'untilSignatureChange']),
    )
    .addOption(new Option('--until-success', 'hold whatever else fails').conflicts(['untilSignatureChange']))
    .option('--until-signature-change', 'hold until it fails for another reason (the default)')
    .option(...note)
    .addOption(jsonOption())
    .action(async (ids: string[], options: AckOptions, command: Command) =>
      finish(await (await import('../commands/alerts-ack.ts')).acknowledgeAlerts(invocation(command), ids, options)),
    );
  alerts
    .command('unack')
    .argument('<id...>', 'alerts')
    .summary('give alerts back')
    .description('Gives acknowledged alerts back: what came meanwhile is told.')
    .option(...by)
    .addOption(jsonOption())
    .action(async (ids: string[], options: ByOptions, command: Command) =>
      finish(
        await (await import('../commands/alerts-unack.ts')).unacknowledgeAlerts(invocation(command), ids, options),
      ),
    );
  alerts
    .command('resolve')
    .argument('<id...>', 'alerts')
    .summary('close alerts by hand')
    .description('Closes alerts by hand. Those who were told of the failure are told of this.')
    .option(...by)
    .option(...note)
    .addOption(jsonOption())
    .action(async (ids: string[], options: ByOptions, command: Command) =>
      finish(await (await import('../commands/alerts-resolve.ts')).resolveAlerts(invocation(command), ids, options)),
    );

  alerts
    .command('explain')
    .argument('[id]', 'alert')
    .summary('why was it told, or not, and what happens next')
    .description(
      'Says why an alert or a job was told or not: rule, key, route, digest, attempts, answers; and what comes next, and when.',
    )
    .option('--job <job>', 'explain a job instead: its id, or TABLE:ID')
    .addOption(jsonOption())
    .action(async (id: string | undefined, options: ExplainOptions, command: Command) =>
      finish(await (await import('../commands/alerts-explain.ts')).explainCommand(invocation(command), id, options)),
    );
};
