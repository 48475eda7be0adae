import { describe, expect, test } from 'vitest';
import { loadText, problemsOfText } from './config-file.fixture.ts';

describe('storm and flapping', () => {
  test('are on by default, and what is left out keeps its default', () => {
    expect(loadText('storm: { keys: 10 }\nflapping: { hold: 2h }')).toMatchObject({
      storm: { keys: 10, withinMs: 300_000, share: 0.5, updateMs: 900_000 },
      flapping: { times: 4, withinMs: 21_600_000, holdMs: 7_200_000 },
    });
  });

  test('can be switched off, the share of a storm by itself', () => {
    const off = loadText('storm: off\nflapping: off');
    expect(off).not.toHaveProperty('storm');
    expect(off).not.toHaveProperty('flapping');
    expect(loadText('storm: { share: off }').storm).toEqual({ keys: 50, withinMs: 300_000, updateMs: 900_000 });
  });

  test.each([
    ['25%', 0.25],
    ['0.7', 0.7],
  ])('a share may be written as %s', (written, share) => {
    expect(loadText(`storm: { share: ${written} }`).storm).toMatchObject({ share });
  });
});

describe('self watch and workers', () => {
  test('say where to look and whom to ping', () => {
    const yaml =
      'self_watch: { stale_after: 30s, deadman_url: "https://hc-ping.com/x", audit_every: 5m, canary: 15m }\nworkers: { host: 0.0.0.0, detector_port: 8001, notifier_port: off }';
    const { selfWatch, workers } = loadText(yaml);
    expect(selfWatch).toEqual({
      staleAfterMs: 30_000,
      deadmanUrl: 'https://hc-ping.com/x',
      auditMs: 300_000,
      canaryMs: 900_000,
    });
    expect(workers).toEqual({
      claimSeconds: 10,
      host: '0.0.0.0',
      detectorPort: { port: 8001, isDefault: false },
    });
    expect(loadText('self_watch: { canary: off }').selfWatch).not.toHaveProperty('canaryMs');
  });

  test('come from the environment where the file does not say', () => {
    const env = {
      DEADMAN_URL: 'https://hc-ping.com/y',
      TOCSIN_HOST: '::1',
      TOCSIN_DETECTOR_PORT: 'off',
      TOCSIN_NOTIFIER_PORT: '8002',
    };
    const { selfWatch, workers, warnings } = loadText('', env);
    expect(selfWatch.deadmanUrl).toBe('https://hc-ping.com/y');
    expect(workers).toEqual({ claimSeconds: 10, host: '::1', notifierPort: { port: 8002, isDefault: false } });
    expect(warnings.filter((warning) => warning.includes('TOCSIN'))).toEqual([]);
    const chosen = loadText('workers: { host: localhost, detector_port: 0, notifier_port: 8003 }', env).workers;
    expect(chosen).toMatchObject({ host: 'localhost', detectorPort: { port: 0 }, notifierPort: { port: 8003 } });
  });

  test('warn of one port for both', () => {
    expect(loadText('workers: { detector_port: 8001, notifier_port: 8001 }').warnings).toContain(
      'workers.detector_port and workers.notifier_port are both 8001; on one machine only one of them can listen.',
    );
  });
});

describe('it refuses', () => {
  const port = 'must be a port from 1 to 65535, 0 for any that is free, or off';
  test.each([
    {
      caption: 'a share over all',
      yaml: 'storm: { share: 150% }',
      problems: [
        'storm.share: must be a share, such as 0.05 or "5%", below 1, since nothing is more than all; or off; got "150%"',
      ],
    },
    {
      caption: 'a share of nothing',
      yaml: 'storm: { share: 0 }',
      problems: ['storm.share: must be a share, such as 0.05 or "5%", above 0; or off; got 0'],
    },
    {
      caption: 'a storm of one',
      yaml: 'storm: { keys: 1, within: 2d, update: 0 }',
      problems: [
        'storm.keys: must be at least 2; got 1',
        'storm.within: must be at most 1d; got "2d"',
        'storm.update: must be at least 1s; got 0',
      ],
    },
    {
      caption: 'what is neither off nor a mapping',
      yaml: 'storm: never\nflapping: 4',
      problems: [
        'storm: must be off, or a mapping with keys, within, share and update; got "never"',
        'flapping: must be off, or a mapping with times, within and hold; got 4',
      ],
    },
    {
      caption: 'an unknown key',
      yaml: 'storm: { key: 5 }\nflapping: { after: 4 }\nself_watch: { canari: 1h }',
      problems: [
        'storm.key: unknown key; did you mean "keys"?',
        'flapping.after: unknown key; valid: times, within, hold',
        'self_watch.canari: unknown key; did you mean "canary"?',
      ],
    },
    {
      caption: 'one flip',
      yaml: 'flapping: { times: 1, within: 15d }',
      problems: ['flapping.times: must be at least 2; got 1', 'flapping.within: must be at most 14d; got "15d"'],
    },
    {
      caption: 'a switch that is no web address',
      yaml: 'self_watch: { deadman_url: hc-ping.com/geheim, canary: never }',
      problems: [
        'self_watch.deadman_url: must be a URL beginning with https:// or http://; got "***"',
        'self_watch.canary: must be a whole number followed by ms, s, m, h or d, for example 500ms, 90s, 15m, 2h, 14d, or 0; or off; got "never"',
      ],
    },
    {
      caption: 'ports that are none',
      yaml: 'workers: { detector_port: 65536, notifier_port: "9572" }',
      problems: [`workers.detector_port: ${port}; got 65536`, `workers.notifier_port: ${port}; got "9572"`],
    },
    {
      caption: 'an address with a port',
      yaml: 'workers: { host: "127.0.0.1:9571" }',
      problems: [
        'workers.host: must be an address of this machine without port, such as 127.0.0.1, or 0.0.0.0 for all of them; got "127.0.0.1:9571"',
      ],
    },
  ])('$caption', ({ yaml, problems }) => {
    expect(problemsOfText(yaml)).toEqual(problems);
  });

  test.each([
    ['TOCSIN_DETECTOR_PORT', '70000', `${port}; got "70000"`],
    ['TOCSIN_NOTIFIER_PORT', 'none', `${port}; got "none"`],
    [
      'TOCSIN_HOST',
      '256.1.1.1',
      'must be an address of this machine without port, such as 127.0.0.1, or 0.0.0.0 for all of them; got "256.1.1.1"',
    ],
    ['DEADMAN_URL', 'ftp://h/x', 'must be a URL beginning with https:// or http://; got ftp://h/x'],
  ])('%s=%s in the environment', (name, value, problem) => {
    expect(problemsOfText('', { [name]: value })).toEqual([`${name}: ${problem}`]);
  });
});
