import { digestOf } from '@entrepot/testkit/images';
import { openRegistry } from '@entrepot/testkit/registry-client';
import { connect, type Target } from '../world/target.js';

/** What a registry answers to every pull that there is, by path: status, type and digest of the bytes. */
export type Inventory = Readonly<Record<string, string>>;

/** Asks for each path as the administrator, and as nobody. */
export async function takeInventory(target: Target, paths: readonly string[]): Promise<Inventory> {
  const clients = { admin: connect(target), nobody: openRegistry(target.url, undefined, target.tokenUrl) };
  const found: Record<string, string> = {};
  for (const [who, client] of Object.entries(clients)) {
    for (const path of paths) {
      const { status, headers, body } = await client.send({ method: 'GET', path });
      const what = status === 200 ? `${headers['content-type']} ${digestOf(body)}` : '';
      found[`${who} ${path}`] = `${status} ${what}`;
    }
    client.close();
  }
  return found;
}
