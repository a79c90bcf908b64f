import type { NamespaceRecord, Namespaces } from '@entrepot/access';
import type { EntityManager } from 'typeorm';
import { NamespaceRow } from './access-rows.js';
import { insertUnlessTaken } from './insert-unless-taken.js';

export class PostgresNamespaces implements Namespaces {
  constructor(private readonly manager: EntityManager) {}

  async find(name: string): Promise<NamespaceRecord | undefined> {
    const row = await this.manager.findOneBy(NamespaceRow, { name });
    if (!row) return undefined;
    const { id, kind, defaultVisibility } = row;
    return { id, name, kind, defaultVisibility };
  }

  insert(namespace: NamespaceRecord): Promise<boolean> {
    return insertUnlessTaken(this.manager, NamespaceRow, namespace);
  }
}
