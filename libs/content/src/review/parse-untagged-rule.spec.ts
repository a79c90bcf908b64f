import { describe, expect, it } from 'vitest';
import { parseUntaggedRule } from './parse-untagged-rule.js';

describe('the rule for untagged manifests', () => {
  it.each(['keep', 'default', '0s', '250ms', '15s', '5m', '2h', '30d', '99999999d'])('may be %s', (text) => {
    expect(parseUntaggedRule(text)).toBe(text);
  });

  it.each(['', 'forever', '30', '-1d', '1.5h', '30 d', ' 30d', '1000000000d', '2w', 'Keep'])(
    'may not be %j',
    (text) => {
      expect(parseUntaggedRule(text)).toBeUndefined();
    },
  );
});
