import type { Command } from 'commander';
import type { ProgramContext } from '../program.ts';
import { jsonOption } from './option-parsers.ts';

/** `doctor` and `config …`: is it right? */
export const defineChecks = (program: Command, { invocation, finish }: ProgramContext): void => {
  program.commandsGroup('Check:');

  program
    .command('doctor')
    .summary('is everything connected, and is every failure accounted for?')
    .description(
      'Checks everything from the configuration to the last failure in the job tables. Changes nothing. Exit 1 if something fails.',
    )
    .addOption(jsonOption())
    .action(async (options: { readonly json?: boolean }, command: Command) =>
      finish(await (await import('../commands/doctor.ts')).doctor(invocation(command), options)),
    );

  const config = program
    .command('config')
    .summary('check the configuration, print its schema')
    .description('Checks the configuration.');
  config
    .command('check')
    .summary('the configuration as it takes effect, secrets masked')
    .description(
      'Prints the configuration as it takes effect, secrets masked. Exit 2 with every problem if it cannot be used.',
    )
    .addOption(jsonOption())
    .action(async (options: { readonly json?: boolean }, command: Command) =>
      finish(await (await import('../commands/config-check.ts')).checkConfig(invocation(command), options)),
    );
  config
    .command('schema')
    .summary('the JSON Schema of tocsin.yaml')
    .description('Prints the JSON Schema of tocsin.yaml, for editors.')
    .addOption(jsonOption().hideHelp())
    .action(async (_options: unknown, command: Command) =>
      finish(await (await import('../commands/config-schema.ts')).configSchema(invocation(command))),
    );
};
