import { keepMemorySmall } from '@tocsin/runtime/keep-memory-small';
import type { Command } from 'commander';
import type { ProgramContext } from '../program.ts';
import { jsonOption } from './option-parsers.ts';

/** `up`, `detector`, `notifier`, `migrate`: what runs the product. */
export const defineRunning = (program: Command, { invocation, finish }: ProgramContext): void => {
  program.commandsGroup('Run:');

  program
    .command('up')
    .summary('everything in one process')
    .description(
      'Runs detector and notifier in one process and sets up the database first. Without DATABASE_URL it brings a real ' +
        'PostgreSQL of its own, kept in ./.tocsin; its address is then in ./.tocsin/database-url. Ctrl-C stops everything.',
    )
    .action(async (_options: unknown, command: Command) =>
      finish(await (await importSmall(() => import('../commands/up.ts'))).up(invocation(command))),
    );

  const once = ['--once', 'do all that is due, then end; for cron'] as const;
  program
    .command('detector')
    .summary('watch the job tables')
    .description('Watches the job tables and sends what it finds to the notifier. Several may run at once.')
    .option(...once)
    .action(async (options: { readonly once?: boolean }, command: Command) =>
      finish(await (await importSmall(() => import('../commands/detector.ts'))).detector(invocation(command), options)),
    );
  program
    .command('notifier')
    .summary('lifecycle, digests, escalation, delivery')
    .description('Decides about alerts and tells people. Several may run at once.')
    .option(...once)
    .action(async (options: { readonly once?: boolean }, command: Command) =>
      finish(await (await importSmall(() => import('../commands/notifier.ts'))).notifier(invocation(command), options)),
    );

  program
    .command('migrate')
    .summary('set the database up, or bring it up to this version')
    .description(
      "Creates or updates Tocsin's tables (schema tocsin) and the job queue's (schema pgboss). Safe to repeat.",
    )
    .option('--check', 'change nothing; exit 1 when something is pending')
    .addOption(jsonOption())
    .action(async (options: { readonly check?: boolean; readonly json?: boolean }, command: Command) =>
      finish(await (await import('../commands/migrate.ts')).migrateDatabase(invocation(command), options)),
    );

  // Named in the design, absent from this version: refused with a sentence, not with "unknown command".
  program
    .command('console', { hidden: true })
    .allowUnknownOption()
    .allowExcessArguments()
    .action(() => {
      program.error('tocsin: the console is not part of this version; use: npx tocsin alerts list', { exitCode: 2 });
    });
};

/** Loads a command that runs for long, after asking V8 to keep its memory small. */
const importSmall = <Module>(load: () => Promise<Module>): Promise<Module> => {
  keepMemorySmall();
  return load();
};
