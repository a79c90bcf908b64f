import { BlockList, isIP } from 'node:net';

/** The addresses and networks (`10.0.0.0/8`, `::1`) as a list to check against; undefined when one of them is malformed. */
export function parseNetworks(entries: readonly string[]): BlockList | undefined {
  const list = new BlockList();
  for (const entry of entries) {
    const [address = '', prefix, ...rest] = entry.split('/');
    const version = isIP(address);
    const widest = version === 4 ? 32 : 128;
    const bits = prefix === undefined ? widest : Number(/^\d{1,3}$/.exec(prefix)?.[0]);
    if (version === 0 || rest.length > 0 || !(bits <= widest)) return undefined;
    list.addSubnet(address, bits, version === 4 ? 'ipv4' : 'ipv6');
  }
  return list;
}

/** True where the address lies in one of the networks; false for what is no address. */
export function isInNetworks(address: string, networks: BlockList): boolean {
  const version = isIP(address);
  return version !== 0 && networks.check(address, version === 4 ? 'ipv4' : 'ipv6');
}
