import type { Account } from '@entrepot/testkit/registry-client';
import type { Layout } from '../world/layout.js';
import type { CommandResult } from '../world/run-command.js';

/** A real client with a home of its own, which knows nothing at first. */
export interface Client {
  login(host: string, account: Account): Promise<CommandResult>;
  logout(host: string): Promise<CommandResult>;
  /** Pushes what the layout names; the client may write the manifest anew. */
  push(layout: Layout, reference: string): Promise<CommandResult>;
  /** Pulls as if for the first time. */
  pull(reference: string): Promise<CommandResult>;
}

export interface ClientKind {
  readonly name: string;
  readonly programs: readonly string[];
  /** Makes a client that keeps everything below `home`. */
  create(home: string): Client | Promise<Client>;
}
