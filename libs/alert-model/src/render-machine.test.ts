import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { machineTransitions } from './machine.ts';
import { renderMachine, renderMachinePage } from './render-machine.ts';

describe('renderMachine', () => {
  test('as JSON gives every transition', () => {
    expect(JSON.parse(renderMachine('json'))).toEqual(machineTransitions);
  });

  test('as Mermaid draws one arrow between two states, with every event that leads along it', () => {
    const lines = renderMachine('mermaid').trimEnd().split('\n');
    expect(lines[0]).toBe('stateDiagram-v2');
    const drawn = new Set(lines.slice(1).map((line) => line.split(':')[0]?.trim()));
    expect(drawn.size).toBe(lines.length - 1);
    for (const { from, to, event } of machineTransitions) {
      const arrow = `${from === 'absent' ? '[*]' : from} --> ${to}: `;
      expect(lines.find((line) => line.trim().startsWith(arrow))).toContain(event);
    }
  });

  test('names a guard only where the place of the news decides', () => {
    const lines = renderMachine('mermaid').split('\n');
    expect(lines).toContain('  notified --> acknowledged: AlertAcknowledged');
    expect(lines).toContain(
      '  acknowledged --> notified: AlertUnacknowledged, AcknowledgementLapsed [all news was accepted]',
    );
  });
});

test('docs/state-machine.md is what the machine says today; otherwise run npm run gen', () => {
  const page = readFileSync(new URL('../../../docs/state-machine.md', import.meta.url), 'utf8');
  expect(page).toBe(renderMachinePage());
});
