import { readFileSync, readdirSync } from 'node:fs';

/**
 * Clock ticks per second of `/proc`; a hundred on every Linux that Node runs on, see sysconf(3), _SC_CLK_TCK.
 */
const ticksPerSecond = 100;

/** Processor time a process has used so far, in user and system mode, in milliseconds: proc_pid_stat(5). Linux only. */
export const processorMs = (pid: number): number => statOf(readFileSync(`/proc/${pid}/stat`, 'utf8')).processorMs;

/**
 * Processor time that the children of a process have used so far, living and ended, in milliseconds. For PostgreSQL,
 * where each connection is a child of the server.
 */
export const childrenProcessorMs = (parent: number): number => {
  const ended = statOf(readFileSync(`/proc/${parent}/stat`, 'utf8')).endedChildrenMs;
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => readStat(Number(name)))
    .reduce((sum, stat) => sum + (stat?.parent === parent ? stat.processorMs : 0), ended);
};

/** The process that started a process. */
export const parentOf = (pid: number): number => statOf(readFileSync(`/proc/${pid}/stat`, 'utf8')).parent;

interface Stat {
  readonly parent: number;
  readonly processorMs: number;
  readonly endedChildrenMs: number;
}

/** Undefined for a process that has ended meanwhile. */
const readStat = (pid: number): Stat | undefined => {
  try {
    return statOf(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return undefined;
  }
};

/** Reads the text of `/proc/PID/stat`. The name in it may hold blanks and brackets, so fields count from its end. */
export const statOf = (text: string): Stat => {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  // Field 3 of the manual is the first here.
  const field = (number: number): number => Number(fields[number - 3]);
  const ms = (ticks: number): number => (ticks / ticksPerSecond) * 1_000;
  return { parent: field(4), processorMs: ms(field(14) + field(15)), endedChildrenMs: ms(field(16) + field(17)) };
};
