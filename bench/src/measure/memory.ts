import { readFileSync } from 'node:fs';

/** Most resident memory that a process has had since it began, in bytes: `VmHWM` of proc_pid_status(5). Linux only. */
export const peakMemoryBytes = (pid: number): number => peakOf(readFileSync(`/proc/${pid}/status`, 'utf8'));

/** Reads the peak out of the text of `/proc/PID/status`. @throws Error when it is not in there */
export const peakOf = (status: string): number => {
  const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1];
  if (kilobytes === undefined)
    throw new Error('The status of the process has no VmHWM; this is measured on Linux only.');
  return Number(kilobytes) * 1_024;
};
