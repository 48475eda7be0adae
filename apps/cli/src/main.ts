/** Program: `tocsin`. See `tocsin help`. */
import { processTerminal } from './process-terminal.ts';
import { runCli } from './run-cli.ts';

// Not process.exit(): what was written to a pipe would be cut off.
process.exitCode = await runCli(process.argv.slice(2), processTerminal());
