import type { Narrator } from './narrator.ts';
import type { Stage } from './stage.ts';
import type { ToldAlert } from './tell-mail.ts';

/** Prints what the reader can do now. */
export function showWhatNext(stage: Stage, told: ToldAlert): void {
  const { narrator } = stage;
  const { alertId } = told;
  narrator.heading('Try next, in another terminal');
  showCommands(narrator, [
    ['npx tocsin alerts list', 'what is open, and what was'],
    [`npx tocsin alerts explain ${alertId}`, 'why it was told, to whom, when'],
    [`npx tocsin replay ${alertId}`, 'each event, with the state before and after'],
    ['npx tocsin doctor', 'proof that no failure is unaccounted for'],
  ]);
  narrator.heading('Break it yourself');
  showCommands(narrator, [
    [`curl -X POST ${stage.sourceUrl}/mode -d '{"songs":"unavailable"}'`, 'or healthy, corrupt, slow'],
    ['npm run --workspace examples/apple-catalog enqueue', 'one chain run'],
    [`kill -9 ${stage.worker.pid()}`, 'the worker, best in the middle of a slow job'],
  ]);
  narrator.heading(
    'Tocsin keeps running, and new mails are shown here. Ctrl-C stops everything; npm start goes on from it.',
  );
}

function showCommands(narrator: Narrator, commands: readonly (readonly [command: string, purpose: string])[]): void {
  for (const [command, purpose] of commands) {
    narrator.detail(command);
    narrator.detail(`    ${purpose}`);
  }
}
