import { describe, expect, test } from 'vitest';
import { loadText, problemsOfText } from './config-file.fixture.ts';

const file = (escalation: string) =>
  `routes: [{ name: a, channels: [outbox], escalation: e }]\nescalations: { e: ${escalation} }`;

describe('an escalation', () => {
  test('is one level', () => {
    expect(loadText(file('{ after: 30m, channels: [console] }')).escalations['e']).toEqual({
      levels: [{ afterMs: 1_800_000, channels: ['console'] }],
    });
  });

  test('is several, each for severities, and is repeated', () => {
    const yaml =
      '{ levels: [{ after: 15m, channels: [console] }, { after: 1h, channels: [outbox, console], severity: critical }], repeat: { every: 30m, times: 4 } }';
    expect(loadText(file(yaml)).escalations['e']).toEqual({
      levels: [
        { afterMs: 900_000, channels: ['console'] },
        { afterMs: 3_600_000, channels: ['outbox', 'console'], severities: ['critical'] },
      ],
      repeat: { everyMs: 1_800_000, times: 4 },
    });
  });

  test('uses the channels of every level', () => {
    const yaml = `${file('{ levels: [{ after: 1m, channels: [a] }, { after: 2m, channels: [b] }] }')}\nchannels: { a: { type: console }, b: { type: console } }`;
    expect(loadText(yaml).warnings.filter((warning) => warning.includes('declared'))).toEqual([]);
  });
});

describe('it refuses', () => {
  const e = 'escalations.e';
  test.each([
    {
      caption: 'levels whose times do not rise',
      yaml: '{ levels: [{ after: 30m, channels: [console] }, { after: 30m, channels: [outbox] }, { after: 10m, channels: [outbox] }] }',
      problems: [
        `${e}.levels[1].after: must be more than the 30m of the level before; each after counts from the first accepted message; got "30m"`,
        `${e}.levels[2].after: must be more than the 30m of the level before; each after counts from the first accepted message; got "10m"`,
      ],
    },
    {
      caption: 'levels beside a level',
      yaml: '{ after: 1m, channels: [console], levels: [{ after: 2m, channels: [outbox] }] }',
      problems: [
        `${e}: has levels beside after and channels; move those into the levels; got {"after":"1m","channels":["console"],"levels":[{"after":"2m","channels":["outbox…`,
      ],
    },
    {
      caption: 'half a level',
      yaml: '{ channels: [console] }',
      problems: [`${e}: lacks after; write { after: 30m, channels: [...] }, or levels; got {"channels":["console"]}`],
    },
    {
      caption: 'nothing',
      yaml: '{}',
      problems: [`${e}: lacks levels; write { after: 30m, channels: [...] }, or levels; got {}`],
    },
    {
      caption: 'no level',
      yaml: '{ levels: [] }',
      problems: [`${e}.levels: the list is empty, so nobody would be told; write at least one level; got []`],
    },
    {
      caption: 'a level to an unknown channel, with the nearest one',
      yaml: '{ levels: [{ after: 1m, channels: [console, consol] }] }',
      problems: [`${e}.levels[0].channels[1]: there is no channel "consol"; did you mean "console"?`],
    },
    {
      caption: 'a repetition without an end',
      yaml: '{ after: 1m, channels: [console], repeat: { every: 1h } }',
      problems: [`${e}.repeat.times: is missing; it must be a number`],
    },
    {
      caption: 'no repetition, and one without a pause',
      yaml: '{ after: 1m, channels: [console], repeat: { every: 0, times: 0 } }',
      problems: [`${e}.repeat.every: must be at least 1s; got 0`, `${e}.repeat.times: must be at least 1; got 0`],
    },
    {
      caption: 'an unknown key of a level, with the nearest one',
      yaml: '{ levels: [{ after: 1m, channels: [console], severities: error }] }',
      problems: [`${e}.levels[0].severities: unknown key; did you mean "severity"?`],
    },
  ])('$caption', ({ yaml, problems }) => {
    expect(problemsOfText(file(yaml))).toEqual(problems);
  });
});
