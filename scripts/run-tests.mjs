// Runs all tests (arguments go to vitest) and prints as its last line how many passed and failed, counted from vitest's
// own report. Exit code 1 if a test failed, something outside a test failed, or no test ran at all.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const vitest = join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs');
const folder = await mkdtemp(join(tmpdir(), 'tocsin-report-'));
const reportFile = join(folder, 'report.json');

const child = spawn(
  process.execPath,
  [vitest, 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${reportFile}`, ...process.argv.slice(2)],
  { stdio: ['ignore', 'inherit', 'inherit'] },
);
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
const [exitCode] = await once(child, 'exit');

const report = await readFile(reportFile, 'utf8').then(JSON.parse, () => undefined);
await rm(folder, { recursive: true, force: true });

const passed = report?.numPassedTests ?? 0;
// A file that cannot even be loaded, or whose database leaks, has no failed test of its own.
const brokenFiles = (report?.testResults ?? []).filter(
  (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
).length;
const failed = (report?.numFailedTests ?? 0) + brokenFiles;
const skipped = (report?.numPendingTests ?? 0) + (report?.numTodoTests ?? 0);

if (report === undefined) console.error('vitest ended without writing its report.');
else if (passed + failed === 0) console.error('No test ran.');
else if (exitCode !== 0 && failed === 0) console.error('vitest reported an error outside the tests; see above.');
process.exitCode = exitCode === 0 && failed === 0 && passed > 0 ? 0 : 1;
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
