import type { AccessChangeFeed } from './access-change-feed.js';
import type { AccessDirectory } from './access-directory.js';
import type { AccessReader } from './access-reader.js';
import type { AccessUnitOfWork, AuditEvent } from './administration.js';
import type { Credentials } from './credentials.js';
import type { RefreshTokens } from './refresh-tokens.js';
import type { SigningKeys } from './signing-keys.js';

/** Every store of this room over one database, and a look at what it wrote. */
export interface AccessStores {
  readonly store: AccessUnitOfWork;
  readonly reader: AccessReader;
  readonly feed: AccessChangeFeed;
  readonly directory: AccessDirectory;
  readonly credentials: Credentials;
  readonly refreshTokens: RefreshTokens;
  readonly signingKeys: SigningKeys;
  /** Audit rows of one target, oldest first. */
  auditOf(target: string): Promise<Pick<AuditEvent, 'action' | 'detail'>[]>;
}
