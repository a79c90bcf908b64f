import { Secret } from './secret.js';
import { configKeys, formatQuantity } from './section.js';
import type { ConfigKey, ConfigSection } from './section.js';

/** The effective settings by variable name for `config show`: secrets as `[redacted]`, absent ones as null. */
export function maskedConfig(
  config: Readonly<Record<string, unknown>>,
  sections: readonly ConfigSection[],
): Record<string, string | null> {
  return Object.fromEntries(
    configKeys(sections).map((key) => {
      const values = config[key.section];
      const value =
        typeof values === 'object' && values !== null
          ? Object.entries(values).find(([name]) => name === key.key)
          : undefined;
      return [key.variable, maskValue(key, value?.[1])];
    }),
  );
}

function maskValue(key: ConfigKey, value: unknown): string | null {
  if (value === undefined || value === null) return null;
  if (key.secret || value instanceof Secret) return '[redacted]';
  if (typeof value === 'number' && key.unit !== undefined) return formatQuantity(value, key.unit);
  if (Array.isArray(value)) return value.join(',');
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
