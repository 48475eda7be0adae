import { Command } from 'commander';
import type { ExitCode } from './exit-code.ts';
import { defineAlerts } from './program/define-alerts.ts';
import { defineChecks } from './program/define-checks.ts';
import { defineHistory } from './program/define-history.ts';
import { defineRunning } from './program/define-running.ts';
import { defineTelling } from './program/define-telling.ts';
import type { Invocation, Terminal } from './terminal.ts';
import { version } from './version.ts';

/** What somebody reads who types `tocsin` and nothing else. */
export const firstSteps = `Tocsin tells a human, once and reliably, of every background job that failed, and again when it works.

Begin here:
  npx tocsin up            everything in one process; without DATABASE_URL with a database of its own in ./.tocsin
  npx tocsin doctor        is everything connected, and is every failure accounted for?
  npx tocsin alerts list   what is open now

With your own jobs:
  DATABASE_URL=postgres://USER:PASSWORD@HOST/DATABASE npx tocsin up
  Mail goes to ./.tocsin/outbox until SENDGRID_API_KEY or SMTP_URL is set, with ALERT_EMAIL_TO.

All commands: npx tocsin help       One command: npx tocsin help up
`;

/** Tells a definition how to run what it defines. */
export interface ProgramContext {
  /** The call, with the options that every command has. */
  readonly invocation: (command: Command) => Invocation;
  /** Takes over a command's exit code. */
  readonly finish: (code: ExitCode) => void;
}

/**
 * The syntax of every command. Only syntax: what a command does is loaded when it is called, so that help comes at once.
 *
 * @param onEnd gets the exit code of the command that was run
 */
export const createProgram = (terminal: Terminal, onEnd: (code: ExitCode) => void): Command => {
  const program = new Command('tocsin')
    .description('Makes sure that a human learns, once and reliably, of every background job that failed.')
    .version(version(), '-V, --version', 'print the version')
    .option('-c, --config <file>', 'configuration file (default: TOCSIN_CONFIG, else ./tocsin.yaml if there is one)')
    .exitOverride()
    .configureOutput({
      writeOut: terminal.write,
      writeErr: terminal.complain,
      outputError: (text, write) => write(text.replace(/^error: /, 'tocsin: ')),
      getOutHelpWidth: () => terminal.columns,
      getErrHelpWidth: () => terminal.columns,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .configureHelp({ showGlobalOptions: true })
    .showHelpAfterError('See: npx tocsin help')
    .helpCommand('help [command]', 'help for one command');
  program.addHelpText('after', '\nExit codes: 0 fine, 1 found a problem, 2 wrong usage or configuration.');
  const context: ProgramContext = {
    invocation: (command) => ({ terminal, configFile: command.optsWithGlobals<{ config?: string }>().config }),
    finish: onEnd,
  };
  defineRunning(program, context);
  defineAlerts(program, context);
  defineTelling(program, context);
  defineHistory(program, context);
  defineChecks(program, context);
  return program;
};
