import { describe, expect, it } from 'vitest';
import { featuresOf, readSettings, SettingsError } from './environment.js';

const url = { CONFORMANCE_URL: 'http://127.0.0.1:5000' };

describe('readSettings', () => {
  it('holds all suites at the dev level by default', () => {
    const settings = readSettings(url);
    expect(settings.suites).toEqual(['main', 'v1.1.1', 'beyond']);
    expect(featuresOf(settings)).toEqual({
      digestHeader: true,
      uploadCancel: true,
      tagParameters: true,
      sparse: false,
    });
  });

  it('leaves out what level 1.1 does not have', () => {
    const settings = readSettings({ ...url, CONFORMANCE_LEVEL: '1.1', CONFORMANCE_SPARSE: 'on' });
    expect(featuresOf(settings)).toEqual({
      digestHeader: false,
      uploadCancel: false,
      tagParameters: false,
      sparse: true,
    });
  });

  it.each([
    [{}, 'CONFORMANCE_URL'],
    [{ CONFORMANCE_URL: '127.0.0.1:5000' }, 'CONFORMANCE_URL'],
    [{ ...url, CONFORMANCE_LEVEL: '2.0' }, 'CONFORMANCE_LEVEL'],
    [{ ...url, CONFORMANCE_SUITES: 'main,all' }, 'CONFORMANCE_SUITES'],
    [{ ...url, CONFORMANCE_REPO: 'a/b' }, 'CONFORMANCE_REPO is not known'],
  ])('refuses %o and names the variable', (environment, complaint) => {
    expect(() => readSettings(environment)).toThrow(SettingsError);
    expect(() => readSettings(environment)).toThrow(complaint);
  });
});
