/**
 * The `tocsin` command: runs the product, shows and changes alerts, replays and explains them, and checks that all is
 * well. Every command is a function over a terminal that is given, so that it can be run without a process of its own.
 */
export { runCli } from './run-cli.ts';
export { exitCodes } from './exit-code.ts';
export type { ExitCode } from './exit-code.ts';
export type { Terminal } from './terminal.ts';
