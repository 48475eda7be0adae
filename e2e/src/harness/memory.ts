import { readFileSync } from 'node:fs';

/** Resident memory of a process, in bytes. */
export interface Memory {
  readonly now: number;
  /** The most it has had since it began. */
  readonly peak: number;
}

/** Looks into `/proc/PID/status`; null where there is none: not on Linux, or the process has ended. */
export const memoryOf = (pid: number): Memory | null => {
  let status: string;
  try {
    status = readFileSync(`/proc/${pid}/status`, 'utf8');
  } catch {
    return null;
  }
  const bytes = (name: string): number | null => {
    const kilobytes = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1];
    return kilobytes === undefined ? null : Number(kilobytes) * 1_024;
  };
  const [now, peak] = [bytes('VmRSS'), bytes('VmHWM')];
  return now === null || peak === null ? null : { now, peak };
};

/** In whole megabytes, for numbers that are printed. */
export const megabytes = (bytes: number): number => Math.round(bytes / 1_048_576);
