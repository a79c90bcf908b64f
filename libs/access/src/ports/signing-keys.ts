/** A P-256 public key as it is published (RFC 7517; RFC 7518, 6.2). */
export interface PublicJwk {
  readonly kty: 'EC';
  readonly crv: 'P-256';
  readonly x: string;
  readonly y: string;
  readonly kid: string;
  readonly use: 'sig';
  readonly alg: 'ES256';
}

export interface PublishedKey {
  readonly kid: string;
  readonly publicJwk: PublicJwk;
  /** Signs from then on, until a later key does. */
  readonly signsFromMs: number;
  /** Verifies until then; undefined while no successor is known. */
  readonly verifiesUntilMs: number | undefined;
}

export interface SealedKey extends PublishedKey {
  readonly sealedPrivate: string;
}

/** What one look at the keys found due. */
export interface KeyChange {
  readonly added: SealedKey | undefined;
  readonly retired: readonly { readonly kid: string; readonly verifiesUntilMs: number }[];
  readonly removedKids: readonly string[];
  /** The same private keys, sealed anew. */
  readonly resealed: readonly Pick<SealedKey, 'kid' | 'sealedPrivate'>[];
}

/** Keys that verify: all that a data plane may see. */
export interface PublicKeys {
  /** Every key that is not past its end, those included that do not sign yet. */
  listPublished(): Promise<PublishedKey[]>;
}

export interface SigningKeys extends PublicKeys {
  listSealed(): Promise<SealedKey[]>;
  /** Applies what `plan` makes of the keys, in one transaction that only one process at a time can be in. */
  change(plan: (keys: readonly SealedKey[]) => KeyChange): Promise<void>;
}
