import { once } from 'node:events';
import type { Terminal } from './terminal.ts';

/** Output that is not read in a terminal is laid out for this width. */
const columnsDefault = 100;
const columnsMin = 60;

/** The terminal of this process. A reader that goes away (`| head`) ends the process quietly. */
export const processTerminal = (): Terminal => {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
    throw error;
  });
  const columns = process.stdout.isTTY
    ? Math.max(columnsMin, process.stdout.columns ?? columnsDefault)
    : columnsDefault;
  return {
    write: (text) => void process.stdout.write(text),
    drained: async () => {
      if (process.stdout.writableNeedDrain) await once(process.stdout, 'drain');
    },
    complain: (text) => void process.stderr.write(text),
    columns,
    textColumns: process.stdout.isTTY ? columns : Infinity,
    coloured: process.stdout.isTTY && (process.env['NO_COLOR'] ?? '') === '' && process.env['TERM'] !== 'dumb',
    watched: process.stderr.isTTY,
    env: process.env,
    cwd: process.cwd(),
    interruption: () => {
      const interrupted = new AbortController();
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupted.abort());
      return interrupted.signal;
    },
  };
};
