import { describe, expect, test } from 'vitest';
import { maskUrl, maskUrlPath } from './mask-url.ts';

describe('maskUrl', () => {
  const cases = [
    {
      caption: 'masks the password and keeps user, host, port and database',
      url: 'postgres://tocsin:geheim@db:5432/jobs',
      shown: 'postgres://tocsin:***@db:5432/jobs',
    },
    { caption: 'keeps a URL without secrets', url: 'smtp://127.0.0.1:1025', shown: 'smtp://127.0.0.1:1025' },
    {
      caption: 'masks secret-sounding query parameters',
      url: 'postgres://db/jobs?password=geheim&sslmode=require',
      shown: 'postgres://db/jobs?password=***&sslmode=require',
    },
    {
      caption: 'masks a password given for a socket',
      url: 'postgres:///jobs?host=/run&password=geheim',
      shown: 'postgres:///jobs?host=%2Frun&password=***',
    },
    {
      caption: 'masks a token that stands in the place of a web user',
      url: 'https://geheim@api.example.com/',
      shown: 'https://***@api.example.com/',
    },
    {
      caption: 'masks the path of a Slack webhook',
      url: 'https://hooks.slack.com/services/T0/B0/geheim',
      shown: 'https://hooks.slack.com/***',
    },
    { caption: 'masks text that is no URL whole', url: 'user:geheim', shown: '***' },
    {
      caption: 'masks the whole where an unescaped # cut the password in two',
      url: 'postgres://u:12#geheim@db/jobs',
      shown: '***',
    },
    {
      caption: 'masks the whole where an unescaped / made the port unreadable',
      url: 'postgres://u:ge/heim@db/jobs',
      shown: '***',
    },
  ];
  for (const { caption, url, shown } of cases) {
    test(`it ${caption}`, () => {
      expect(maskUrl(url)).toBe(shown);
    });
  }
});

describe('maskUrlPath', () => {
  test.each([
    ['https://hc-ping.com/0c1f/start?x=1#y', 'https://hc-ping.com/***'],
    ['https://u:p@hooks.example.com:8443/in', 'https://u:***@hooks.example.com:8443/***'],
    ['https://example.com?token=x', 'https://example.com/***'],
    ['https://example.com/', 'https://example.com/'],
    ['https://example.com', 'https://example.com/'],
    ['geheim', '***'],
  ])('shows %s as %s', (url, shown) => {
    expect(maskUrlPath(url)).toBe(shown);
  });
});
