import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError, configKeys } from '@entrepot/runtime';
import { GENERATED_SECRETS } from '../standalone/secrets.js';
import { readSettings, standaloneSections, type GivenSettings, type SettingsSource } from '../standalone/settings.js';
import { Findings, type Finding } from './finding.js';

/** Reads the settings as a start would. Without them nothing else can be looked at: `given` is undefined then. */
export function checkSettings(source: SettingsSource): {
  readonly given: GivenSettings | undefined;
  readonly findings: readonly Finding[];
} {
  const findings = new Findings('settings');
  try {
    const given = readSettings(source);
    findings.ok(`${configKeys(standaloneSections).length} settings, none of them unknown, malformed or a placeholder`);
    warnOfPromises(given, findings);
    warnOfOpenSecrets(given, findings);
    return { given, findings: findings.all };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const problem of error.problems) findings.fail(problem, 'correct it; nothing starts with it');
    return { given: undefined, findings: findings.all };
  }
}

function warnOfPromises({ config: { gc, http } }: GivenSettings, findings: Findings): void {
  if (gc.grace === 0) {
    findings.warn(
      'ENTREPOT_GC_GRACE is 0s: what was uploaded may be collected before its manifest is pushed',
      'set it to longer than the longest push takes, such as 24h',
    );
  }
  if (http.publicUrl?.startsWith('http:') === true && !/^http:\/\/(localhost|127\.|\[::1\])/.test(http.publicUrl)) {
    findings.warn(
      'ENTREPOT_HTTP_PUBLIC_URL is not https: passwords and tokens cross the network in the clear',
      'set ENTREPOT_HTTP_TLS_CERTIFICATE and _KEY, or let a proxy end TLS, and name the https address',
    );
  }
}

/** Whoever reads them signs uploads, and opens the keys that sign tokens. */
function warnOfOpenSecrets({ paths }: GivenSettings, findings: Findings): void {
  for (const file of Object.values(GENERATED_SECRETS)) {
    const path = join(paths.secrets, file);
    if (!existsSync(path) || (statSync(path).mode & 0o077) === 0) continue;
    findings.warn(`${path} can be read by other users`, `chmod 600 ${path}`);
  }
}
