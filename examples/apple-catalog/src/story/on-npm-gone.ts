const lookEveryMs = 500;

/**
 * Calls `stop` when npm, having been told to end, has ended the shell that it runs scripts in: npm passes a SIGTERM on
 * to that shell, and the shell to nobody, so that this program would run on unseen. Without npm nothing is watched: a
 * program that was started in the background may well outlive its parent.
 */
export function onNpmGone(stop: (reason: string) => void): void {
  if (process.env['npm_lifecycle_event'] === undefined) return;
  const shell = process.ppid;
  const look = setInterval(() => {
    if (process.ppid === shell) return;
    clearInterval(look);
    stop('the end of npm');
  }, lookEveryMs);
  look.unref();
}
