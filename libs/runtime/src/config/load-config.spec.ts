import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { describeConfiguration } from './describe-configuration.js';
import { ConfigError, loadConfig } from './load-config.js';
import { maskedConfig } from './masked-config.js';
import { section } from './section.js';
import type { ConfigSection } from './section.js';
import { redisSection } from '../redis/redis-section.js';
import { httpSection, logSection, opsSection, secretsSection } from './sections.js';
import { boolean, byteSize, durationMs, secret, textList, wholeNumber } from './values.js';

const HTTP_SECRET = 'qN3vX8zL1mB6cR0yT5wK9eJ2hG7fD4sA';
const FORMER_SECRET = 'Zp4kW7uC2xV9nQ1tM6sF3gH8jL5dR0bY';

const sample = section(
  'sample',
  z.object({
    idleTimeout: durationMs().prefault('15s').meta({ description: 'How long | to wait.' }),
    maxSize: byteSize().prefault('4MiB'),
    isOn: boolean().prefault('false'),
    count: wholeNumber({ min: 1, max: 9 }).prefault('3'),
    names: textList().prefault(''),
    // As a room that may not import this one writes it.
    mode: z.enum(['refuse', 'all']).default('refuse').meta({ description: 'What to do.' }),
    password: z.string().min(8).meta({ secret: true }).optional(),
    key: secret(4).optional(),
  }),
);

function load(environment: Record<string, string>, file?: string) {
  return loadConfig([sample], file === undefined ? { environment } : { environment, file }).sample;
}

function problemsOf(sections: readonly ConfigSection[], environment: Record<string, string>): readonly string[] {
  try {
    loadConfig(sections, { environment });
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

function writeTemporary(text: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'entrepot-config-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const path = join(directory, 'file');
  writeFileSync(path, text);
  return path;
}

describe('loadConfig', () => {
  it('gives parsed defaults, deep-frozen', () => {
    const values = load({});
    expect(values).toMatchObject({
      idleTimeout: 15_000,
      maxSize: 4_194_304,
      isOn: false,
      count: 3,
      names: [],
      mode: 'refuse',
    });
    expect(Object.isFrozen(values)).toBe(true);
    expect(Object.isFrozen(values.names)).toBe(true);
  });

  it('takes the environment before the file before what was supplied before the default', () => {
    const file = writeTemporary('sample:\n  count: 5\n  isOn: true\n  names: [a, b]\n');
    const environment = { ENTREPOT_SAMPLE_COUNT: '7', ENTREPOT_CONFIG_FILE: file };
    const supplied = { ENTREPOT_SAMPLE_IS_ON: 'false', ENTREPOT_SAMPLE_MODE: 'all' };
    const { sample: values } = loadConfig([sample], { environment, supplied });
    expect(values).toMatchObject({ count: 7, isOn: true, names: ['a', 'b'], mode: 'all', maxSize: 4_194_304 });
  });

  it('names the nearest known key of an unknown one', () => {
    expect(problemsOf([sample], { ENTREPOT_SAMPLE_COUTN: '1', ENTREPOT_SAMPLE_IDLE_TIMEOT: '1s' })).toEqual([
      'ENTREPOT_SAMPLE_COUTN: no such setting; did you mean ENTREPOT_SAMPLE_COUNT?',
      'ENTREPOT_SAMPLE_IDLE_TIMEOT: no such setting; did you mean ENTREPOT_SAMPLE_IDLE_TIMEOUT?',
    ]);
  });

  it('reports every bad value at once, by key and reason and never the value', () => {
    const problems = problemsOf([sample], {
      ENTREPOT_SAMPLE_IDLE_TIMEOUT: 'value-one',
      ENTREPOT_SAMPLE_MAX_SIZE: 'value-two',
      ENTREPOT_SAMPLE_IS_ON: 'value-three',
      ENTREPOT_SAMPLE_COUNT: '12',
      ENTREPOT_SAMPLE_MODE: 'value-four',
      ENTREPOT_SAMPLE_PASSWORD: 'value-5',
    });
    expect(problems).toHaveLength(6);
    expect(problems.join('\n')).not.toMatch(/value-/);
    expect(problems[0]).toBe('ENTREPOT_SAMPLE_IDLE_TIMEOUT: must be a duration such as 250ms, 15s, 5m, 2h or 7d');
  });

  it('takes a value out of a message that quotes it', () => {
    const quoting = section(
      'quoting',
      z.object({ key: z.string().refine(() => false, { error: (issue) => `bad: ${String(issue.input)}` }) }),
    );
    expect(problemsOf([quoting], { ENTREPOT_QUOTING_KEY: 'very secret' })).toEqual([
      'ENTREPOT_QUOTING_KEY: bad: [value]',
    ]);
  });

  it('says what is required', () => {
    expect(problemsOf([secretsSection], {})).toEqual(['ENTREPOT_SECRETS_KEY: required, but not set']);
  });

  it('reads a secret from a file, trimmed', () => {
    const values = load({ ENTREPOT_SAMPLE_PASSWORD_FILE: writeTemporary('from the file\n') });
    expect(values.password).toBe('from the file');
  });

  it('refuses a variable together with its file, and a file that is not there', () => {
    const environment = {
      ENTREPOT_SAMPLE_PASSWORD: 'long enough',
      ENTREPOT_SAMPLE_PASSWORD_FILE: '/nowhere',
      ENTREPOT_SAMPLE_KEY_FILE: '/nowhere',
    };
    expect(problemsOf([sample], environment)).toEqual([
      'ENTREPOT_SAMPLE_PASSWORD: set together with ENTREPOT_SAMPLE_PASSWORD_FILE; keep one of them',
      'ENTREPOT_SAMPLE_KEY_FILE: the file cannot be read (ENOENT)',
    ]);
  });

  it('counts a blank variable as absent, but not a blank secret', () => {
    expect(load({ ENTREPOT_SAMPLE_COUNT: '' }).count).toBe(3);
    expect(problemsOf([sample], { ENTREPOT_SAMPLE_PASSWORD: ' ' })).toEqual([
      'ENTREPOT_SAMPLE_PASSWORD: must not be blank; unset it or give a value',
    ]);
  });

  it('lets services share one environment', () => {
    const options = { environment: { ENTREPOT_OPS_PORT: 'not looked at' }, known: [opsSection] };
    expect(loadConfig([sample], options).sample.count).toBe(3);
  });

  it('passes over what Kubernetes and the launcher add', () => {
    const environment = {
      ENTREPOT_NODE: '/usr/bin/node',
      ENTREPOT_SERVICE_HOST: '10.0.0.1',
      ENTREPOT_SERVICE_PORT_HTTP: '5000',
      ENTREPOT_PORT: 'tcp://10.0.0.1:5000',
      ENTREPOT_PORT_5000_TCP_ADDR: '10.0.0.1',
    };
    expect(problemsOf([sample], environment)).toEqual([]);
  });

  it.each([
    ['sample: [1]', /section sample must hold keys/],
    ['sample:\n  cuont: 1', /sample\.cuont: no such setting; did you mean sample\.count\?/],
    ['sample:\n  count: {a: 1}', /sample\.count: must be one value/],
    ['- 1', /must hold sections/],
    ['sample: "unclosed', /not valid YAML/],
    ['sample:\n  count: 1\n  count: 2', /not valid YAML/],
  ])('refuses the file %j', (text, message) => {
    expect(() => load({}, writeTemporary(text))).toThrow(message);
  });

  it('refuses a file that is not there', () => {
    expect(() => load({}, '/nowhere.yaml')).toThrow('/nowhere.yaml: the configuration file cannot be read (ENOENT)');
  });
});

describe('the sections of every service', () => {
  const given = { ENTREPOT_HTTP_SECRET: HTTP_SECRET };

  it('listens on loopback unless it is told the public URL', () => {
    expect(problemsOf([httpSection], { ...given, ENTREPOT_HTTP_HOST: '0.0.0.0' })).toEqual([
      expect.stringMatching(/^ENTREPOT_HTTP_PUBLIC_URL: required when ENTREPOT_HTTP_HOST is not a loopback address/),
    ]);
    const named = { ...given, ENTREPOT_HTTP_HOST: '::', ENTREPOT_HTTP_PUBLIC_URL: 'https://registry.test' };
    expect(problemsOf([httpSection], named)).toEqual([]);
  });

  it.each([
    'registry.test',
    'ftp://registry.test',
    'https://user@registry.test',
    'https://registry.test/path',
    'https://registry.test?x',
  ])('refuses the public URL %s', (url) => {
    expect(problemsOf([httpSection], { ...given, ENTREPOT_HTTP_PUBLIC_URL: url })).toHaveLength(1);
  });

  it('takes certificate and key together', () => {
    expect(problemsOf([httpSection], { ...given, ENTREPOT_HTTP_TLS_CERTIFICATE: 'a.pem' })).toEqual([
      expect.stringMatching(/^ENTREPOT_HTTP_TLS_KEY: /),
    ]);
  });

  it.each(['10.0.0.0/33', '10.0.0', 'proxy.test', '::/200', '10.0.0.0/8/8'])(
    'refuses the proxy network %s',
    (network) => {
      expect(problemsOf([httpSection], { ...given, ENTREPOT_HTTP_TRUSTED_PROXIES: network })).toHaveLength(1);
    },
  );

  it.each([
    ['short', 'short'],
    ['blank', `${HTTP_SECRET},`],
    ['one character', 'x'.repeat(40)],
    ['a placeholder', 'changeme-changeme-changeme-changeme'],
    ['an example', 'this-is-only-an-example-secret-0123456789'],
    ['a short second', `${HTTP_SECRET},short`],
  ])('Q-01: refuses a secret that is %s, without printing it', (_name, text) => {
    const problems = problemsOf([httpSection], { ENTREPOT_HTTP_SECRET: text });
    expect(problems).toEqual([expect.stringMatching(/^ENTREPOT_HTTP_SECRET: /)]);
    expect(problems.join('')).not.toContain(text);
  });

  it('keeps the order of a ring of secrets', () => {
    const { http } = loadConfig([httpSection], {
      environment: { ENTREPOT_HTTP_SECRET: `${HTTP_SECRET}, ${FORMER_SECRET}` },
    });
    expect(http.secret.map((each) => each.reveal())).toEqual([HTTP_SECRET, FORMER_SECRET]);
  });

  it('L-02: never prints a secret', () => {
    const { http } = loadConfig([httpSection], { environment: given });
    const printed = [
      inspect(http, { depth: 9, showHidden: true }),
      JSON.stringify(http),
      String(http.secret[0]),
      `${http.secret}`,
    ];
    for (const text of printed) expect(text).not.toContain(HTTP_SECRET);
  });
});

describe('describeConfiguration', () => {
  it('lists variable, default and meaning', () => {
    const text = describeConfiguration([sample]);
    expect(text).toContain('| `ENTREPOT_SAMPLE_IDLE_TIMEOUT` | `15s` | How long \\| to wait. |');
    expect(text).toContain('| `ENTREPOT_SAMPLE_MODE` | `refuse` | What to do. |');
    expect(text).toContain('| `ENTREPOT_SAMPLE_KEY` | unset |');
    expect(text).toContain('`ENTREPOT_SAMPLE_PASSWORD_FILE` may name a file');
  });

  it('describes every setting of ours', () => {
    const text = describeConfiguration([httpSection, opsSection, logSection, redisSection, secretsSection]);
    expect(text).not.toMatch(/\| {2}\|/);
  });
});

describe('maskedConfig', () => {
  it('prints effective values as people write them, and no secret', () => {
    const config = loadConfig([sample, httpSection], {
      environment: {
        ENTREPOT_SAMPLE_PASSWORD: 'long enough',
        ENTREPOT_SAMPLE_KEY: 'abcd',
        ENTREPOT_HTTP_SECRET: HTTP_SECRET,
      },
    });
    const masked = maskedConfig(config, [sample, httpSection]);
    expect(masked).toMatchObject({
      ENTREPOT_SAMPLE_IDLE_TIMEOUT: '15s',
      ENTREPOT_SAMPLE_MAX_SIZE: '4MiB',
      ENTREPOT_SAMPLE_PASSWORD: '[redacted]',
      ENTREPOT_SAMPLE_KEY: '[redacted]',
      ENTREPOT_HTTP_SECRET: '[redacted]',
      ENTREPOT_HTTP_PUBLIC_URL: null,
    });
  });
});
