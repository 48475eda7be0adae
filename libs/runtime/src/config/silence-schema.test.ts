import { describe, expect, test } from 'vitest';
import { loadText, problemsOfText } from './config-file.fixture.ts';

const silences = (...entries: string[]) => `silences: [${entries.map((entry) => `{ ${entry} }`).join(', ')}]`;
const about = (yaml: string) => loadText(yaml).warnings.filter((warning) => warning.startsWith('silences'));

describe('a silence', () => {
  test('has matchers, a beginning and an end, in UTC whatever is written', () => {
    const yaml = silences(
      'name: move, match: { source: billing, severity: [warning, info], kind: stuck }, from: 2026-03-03T10:00:00+01:00, until: 2026-03-03T17:00:00Z, reason: The database moves',
      'name: short, match: { target_id: "test-*" }, until: "2026-03-02T23:30-05:00"',
    );
    expect(loadText(yaml).silences).toEqual([
      {
        name: 'move',
        match: { source: ['billing'], severity: ['warning', 'info'], kind: ['stuck'] },
        from: '2026-03-03T09:00:00.000Z',
        until: '2026-03-03T17:00:00.000Z',
        reason: 'The database moves',
      },
      { name: 'short', match: { targetId: ['test-*'] }, until: '2026-03-03T04:30:00.000Z' },
    ]);
    expect(about(yaml)).toEqual([]);
  });

  test('that is over is a warning, since it once was right', () => {
    expect(about(silences('name: a, match: { source: x }, until: 2026-03-02T11:59:00Z'))).toEqual([
      'silences[0] was over at 2026-03-02T11:59:00Z; it silences nothing, take it out.',
    ]);
  });

  test('of everything is a warning', () => {
    expect(about(silences('name: a, match: {}, until: 2026-03-03T00:00:00Z'))).toEqual([
      'silences[0] matches everything, so nobody is told of any failure until 2026-03-03T00:00:00Z.',
    ]);
  });
});

describe('it refuses', () => {
  const rule = 'must be a time with its offset from UTC, such as 2026-03-02T09:00:00Z or 2026-03-02T10:00:00+01:00';
  test.each([
    {
      caption: 'a silence without an end',
      yaml: silences('name: a, match: { source: x }'),
      problems: ['silences[0].until: is missing; it must be text'],
    },
    {
      caption: 'a silence without a match',
      yaml: silences('name: a, until: 2027-01-01T00:00:00Z'),
      problems: ['silences[0].match: is missing; it must be a mapping of keys to values'],
    },
    {
      caption: 'times of which nobody knows whose they are',
      yaml: silences('name: a, match: {}, from: 2026-03-02, until: "2026-03-02 09:00"'),
      problems: [`silences[0].from: ${rule}; got "2026-03-02"`, `silences[0].until: ${rule}; got "2026-03-02 09:00"`],
    },
    {
      caption: 'a day that does not exist',
      yaml: silences('name: a, match: {}, until: 2027-02-29T00:00:00Z'),
      problems: [`silences[0].until: ${rule}; got "2027-02-29T00:00:00Z"`],
    },
    {
      caption: 'a duration',
      yaml: silences('name: a, match: {}, until: 2h'),
      problems: [`silences[0].until: ${rule}; got "2h"`],
    },
    {
      caption: 'an end before the beginning',
      yaml: silences('name: a, match: {}, from: 2026-03-03T10:00:00Z, until: 2026-03-03T10:30:00+01:00'),
      problems: ['silences[0].until: must be later than from; got "2026-03-03T10:30:00+01:00"'],
    },
    {
      caption: 'two of one name',
      yaml: silences(
        'name: a, match: { source: x }, until: 2027-01-01T00:00:00Z',
        'name: a, match: { source: y }, until: 2027-01-01T00:00:00Z',
      ),
      problems: ['silences[1].name: the name "a" is taken by silences[0] already'],
    },
  ])('$caption', ({ yaml, problems }) => {
    expect(problemsOfText(yaml)).toEqual(problems);
  });
});
