import { describe } from 'vitest';
import { buildah, podman } from '../drivers/containers.js';
import { skopeo } from '../drivers/skopeo.js';
import { isSkipped } from '../world/find-tool.js';
import { testClient } from './every-client.js';

describe.each([skopeo, podman, buildah])('$name', (kind) => {
  describe.skipIf(isSkipped(kind.name, kind.programs))('as every client', () => {
    testClient(kind);
  });
});
