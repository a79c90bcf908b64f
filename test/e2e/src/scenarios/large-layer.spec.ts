import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { peakResidentBytes } from '@entrepot/testkit/processes';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { skopeoIn } from '../drivers/skopeo.js';
import { isSkipped } from '../world/find-tool.js';
import { makeDirectory, writeImage } from '../world/layout.js';
import { mustRun, mustSucceed } from '../world/run-command.js';

const MIB = 1024 * 1024;
const LAYER_BYTES = 1024 * MIB;
/** Far below the layer, far above what a busy start needs. */
const RESIDENT_BOUND_BYTES = 640 * MIB;

describe.skipIf(isSkipped('skopeo', ['skopeo']))('a layer of 1 GiB', () => {
  const { host, alice, pid } = inject('world');
  let directory: string;
  beforeAll(async () => {
    directory = await makeDirectory();
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  it('is pushed and pulled whole, and passes through little memory', async () => {
    const run = skopeoIn(directory);
    mustSucceed(await run(['login', '--tls-verify=false', '-u', alice.name, '--password-stdin', host], alice.password));
    const layout = await writeImage(directory, [randomBytes(LAYER_BYTES)]);
    const reference = `docker://${host}/alice/large:1`;
    const copy = ['copy', '--preserve-digests', '--src-tls-verify=false', '--dest-tls-verify=false'];
    mustSucceed(await run([...copy, `oci:${layout.directory}:latest`, reference]));
    mustSucceed(await run([...copy, reference, `oci:${join(directory, 'pulled')}:latest`]));
    const blob = `blobs/sha256/${layout.images[0]?.layers[0]?.digest.slice(7)}`;
    await mustRun(['cmp', join(layout.directory, blob), join(directory, 'pulled', blob)]);

    const peakBytes = peakResidentBytes(pid);
    console.log(`most memory of the Node process so far: ${Math.round(peakBytes / MIB)} MiB`);
    expect(peakBytes).toBeLessThan(RESIDENT_BOUND_BYTES);
  });
});
