import { checks } from '../ledger/checks.js';
import type { CheckName } from '../ledger/checks.js';
import { assess } from '../ledger/ledger.js';
import type { Ledger } from '../ledger/ledger.js';
import { Mismatch, Unsupported } from '../ledger/outcome.js';
import type { Client } from '../wire/client.js';
import { describe, headerOf } from '../wire/expect.js';
import type { WireReply } from '../wire/exchange.js';
import type { UploadHistory } from './upload-history.js';

/** What a level of the specification adds over 1.1, and what the options switch on. */
export interface Features {
  /** Docker-Content-Digest is required on GET and HEAD and on finished uploads. */
  readonly digestHeader: boolean;
  /** DELETE of an upload (end-14). */
  readonly uploadCancel: boolean;
  /** `tag=` on a manifest PUT by digest (end-7b). */
  readonly tagParameters: boolean;
  /** Manifests whose references were never pushed. */
  readonly sparse: boolean;
}

/** One run of the main suite against one registry. */
export interface Trial {
  readonly client: Client;
  readonly ledger: Ledger;
  readonly registry: URL;
  readonly repository: string;
  /** Where blobs are mounted from. */
  readonly otherRepository: string;
  readonly features: Features;
  readonly uploads: UploadHistory;
}

/** A named part of a trial; names of nested parts are joined with a slash. */
export interface Section {
  readonly trial: Trial;
  readonly group: string;
}

/** The part of that name inside the section. */
export function subsection(section: Section, name: string): Section {
  return { ...section, group: `${section.group}/${name}` };
}

/** Runs one assertion of the section and files it under its clause. */
export function examine(section: Section, name: CheckName, body: () => Promise<void>): Promise<boolean> {
  const label = { suite: 'main', group: section.group, name, clause: checks[name] } as const;
  return assess(section.trial.ledger, label, body);
}

/**
 * Removes something and looks whether it is gone at once: two assertions, the second of which is skipped when the
 * registry did not do the first.
 */
export async function examineRemoval(
  section: Section,
  names: { readonly removal: CheckName; readonly absence: CheckName },
  steps: { readonly remove: () => Promise<void>; readonly lookAgain: () => Promise<void> },
): Promise<void> {
  const isRemoved = await examine(section, names.removal, steps.remove);
  await examine(section, names.absence, async () => {
    if (!isRemoved) throw new Unsupported('nothing was removed');
    await steps.lookAgain();
  });
}

/** Docker-Content-Digest, where sent, must be the digest; with `isRequired` it must be sent. */
export function expectDigestHeader(reply: WireReply, digest: string, isRequired: boolean): void {
  const received = headerOf(reply, 'Docker-Content-Digest');
  if (received === undefined && isRequired) throw new Mismatch(`${describe(reply)}: no Docker-Content-Digest`);
  if (received !== undefined && received !== digest) {
    throw new Mismatch(`${describe(reply)}: Docker-Content-Digest is ${received}, expected ${digest}`);
  }
}
