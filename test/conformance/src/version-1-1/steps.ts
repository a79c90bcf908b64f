import { Mismatch } from '../ledger/outcome.js';
import { describe, expectReply, headerOf } from '../wire/expect.js';
import type { WireReply } from '../wire/exchange.js';
import { absentDigest, absentReference } from './fixtures.js';
import type { Content, Fixtures } from './fixtures.js';
import { expectSuccess, readBlob, readManifest, remove, uploadBlob, uploadManifest } from './bench.js';
import type { Bench, Step } from './bench.js';

/** Picks what a step is about from the fixtures. */
export type Choice<Result> = (fixtures: Fixtures) => Result;

/** Pushes a blob before the assertions that need it. */
export function populateBlob(title: string, pick: Choice<Content>): Step {
  return {
    title,
    clause: 'end-4a and end-6',
    run: async (bench) => expectSuccess(await uploadBlob(bench, pick(bench.fixtures))),
  };
}

/** Pushes a manifest before the assertions that need it. */
export function populateManifest(title: string, pick: Choice<{ reference: string; manifest: Content }>): Step {
  return {
    title,
    clause: 'end-7a',
    async run(bench) {
      const { reference, manifest } = pick(bench.fixtures);
      expectSuccess(await uploadManifest(bench, reference, manifest));
    },
  };
}

/** A blob that nobody pushed is 404. */
export function absentBlob(title: string, method: 'GET' | 'HEAD'): Step {
  return {
    title,
    clause: 'end-2',
    run: async (bench) => expectReply(await readBlob(bench, method, absentDigest), { status: [404] }),
  };
}

/** A blob that is there is 200; its digest, where the registry tells it, is right. */
export function presentBlob(title: string, method: 'GET' | 'HEAD', pick: Choice<Content>): Step {
  return {
    title,
    clause: 'end-2',
    async run(bench) {
      const { digest } = pick(bench.fixtures);
      expectPresent(await readBlob(bench, method, digest), digest);
    },
  };
}

/** A manifest under a name that cannot exist is 404. */
export function absentManifest(title: string, method: 'GET' | 'HEAD'): Step {
  return {
    title,
    clause: 'end-3',
    run: async (bench) => expectReply(await readManifest(bench, method, absentReference), { status: [404] }),
  };
}

/** A manifest that is there is 200; its digest, where the registry tells it, is right. */
export function presentManifest(
  title: string,
  method: 'GET' | 'HEAD',
  pick: Choice<{ reference: string; digest: string }>,
): Step {
  return {
    title,
    clause: 'end-3',
    async run(bench) {
      const { reference, digest } = pick(bench.fixtures);
      expectPresent(await readManifest(bench, method, reference), digest);
    },
  };
}

/** Removes a manifest after the assertions; a registry may say 405. */
export function teardownManifest(title: string, pick: Choice<Content>): Step {
  return {
    title,
    clause: 'end-9',
    run: async (bench) => expectSuccess(await remove(bench, `manifests/${pick(bench.fixtures).digest}`), [405]),
  };
}

/** Removes a blob after the assertions; it may be gone already, and a registry may say 405. */
export function teardownBlob(title: string, pick: Choice<Content>): Step {
  return { title, clause: 'end-10', run: (bench) => removeBlob(bench, pick(bench.fixtures)) };
}

/** Removes a blob that may be gone already. */
export async function removeBlob(bench: Bench, content: Content): Promise<void> {
  expectSuccess(await remove(bench, `blobs/${content.digest}`), [404, 405]);
}

function expectPresent(reply: WireReply, digest: string): void {
  expectReply(reply, { status: [200] });
  const received = headerOf(reply, 'Docker-Content-Digest');
  if (received !== undefined && received !== digest) {
    throw new Mismatch(`${describe(reply)}: Docker-Content-Digest is ${received}, expected ${digest}`);
  }
}
