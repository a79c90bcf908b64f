/** An account as its login needs it. */
export interface LoginRecord {
  readonly accountId: string;
  readonly name: string;
  /** Undefined where the account has no password and so cannot log in with one. */
  readonly passwordHash: string | undefined;
  readonly isDisabled: boolean;
  readonly accessVersion: number;
  /** Grows when the account is disabled or its password replaced: refresh tokens from before end. */
  readonly credentialVersion: number;
}

export interface Credentials {
  findLogin(name: string): Promise<LoginRecord | undefined>;
  /** Stores a stronger hash of the same password, unless the password was changed meanwhile. */
  upgradePasswordHash(accountId: string, from: string, to: string): Promise<void>;
}
