import type { Entrepot } from '@entrepot/testkit/entrepot';
import type { RegistryClient } from '@entrepot/testkit/registry-client';
import { startReplicas, type Replicas } from './replicas.js';
import { openTestStore, type StoreKind, type TestStore } from './stores.js';
import { connect, type Target } from './target.js';

/** Replicas over a store of their own, and the first of them with a client. */
export interface StoredReplicas {
  readonly store: TestStore;
  readonly replicas: Replicas;
  readonly registry: Entrepot;
  readonly target: Target;
  readonly client: RegistryClient;
  /** Ends everything and deletes what it held. */
  remove(): Promise<void>;
}

/** Starts replicas over a store of this kind, and a registry of them; the settings are those of every process. */
export async function startStoredReplicas(
  kind: StoreKind,
  settings: Readonly<Record<string, string>> = {},
): Promise<StoredReplicas> {
  const store = await openTestStore(kind);
  const replicas = await startReplicas({ storage: store.settings, settings });
  const registry = await replicas.start();
  const target = replicas.target(registry);
  const client = connect(target);
  const remove = async () => {
    client.close();
    await replicas.remove();
    await store.remove();
  };
  return { store, replicas, registry, target, client, remove };
}
