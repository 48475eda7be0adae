import { userInfo } from 'node:os';
import type { Terminal } from '../terminal.ts';

/** Who sits at the keyboard; a container may have no name for its user. */
export const userName = ({ env }: Terminal): string => {
  try {
    return userInfo().username;
  } catch {
    return env['USER'] ?? env['LOGNAME'] ?? 'unknown';
  }
};
