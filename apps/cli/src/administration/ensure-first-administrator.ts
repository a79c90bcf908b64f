import { ensureAdministrator } from '@entrepot/access';
import { generatePassword } from '../standalone/secrets.js';
import { withAdministration } from './open-administration.js';

/** Name of the account that a new installation begins with. */
const ADMINISTRATOR = 'admin';

export interface FirstAdministrator {
  readonly name: string;
  /** Made here and now, to be shown once; undefined where one was given, or the account was there before. */
  readonly generatedPassword: string | undefined;
  readonly isNew: boolean;
  /** What an operator should know of the password that was given. */
  readonly warning: string | undefined;
}

/**
 * Where no account is an administrator yet, makes one with the given password or a generated one; else changes nothing.
 * Of several processes at once one makes it, and only that one knows a generated password.
 */
export async function ensureFirstAdministrator(
  databaseUrl: string,
  givenPassword: string | undefined,
): Promise<FirstAdministrator> {
  const password = givenPassword ?? generatePassword();
  const ensured = await withAdministration(databaseUrl, (administration) =>
    ensureAdministrator(administration, { name: ADMINISTRATOR, password }),
  );
  const isNew = ensured.outcome === 'created';
  const isIgnored = givenPassword !== undefined && ensured.outcome === 'kept' && ensured.isPasswordAnother;
  return {
    name: ADMINISTRATOR,
    generatedPassword: isNew && givenPassword === undefined ? password : undefined,
    isNew,
    warning: isIgnored
      ? `ENTREPOT_ADMIN_PASSWORD is not the password of ${ADMINISTRATOR}, and changes nothing; ` +
        `see 'entrepot user reset-password ${ADMINISTRATOR}'`
      : undefined,
  };
}
