import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { buildGoTool, crane, goToolIn, oras, regctl, type GoTool } from '../drivers/go-tools.js';
import { asAccount, findManifest, pushDirectly } from '../world/entrepot.js';
import { findTool } from '../world/find-tool.js';
import { makeDirectory, makeLayer, writeImage, writeIndex, type Layout } from '../world/layout.js';
import { mustSucceed } from '../world/run-command.js';
import { testClient } from './every-client.js';

const KINDS = { crane, regctl, oras };
/** For all that is not built yet; helm and cosign take the most and come last. */
const BUILDING_MS = 150_000;

/** None of these is packaged by distributions, so none is asked for: what can be built is tried. */
async function programs(): Promise<Partial<Record<GoTool, string>>> {
  if (!findTool('go')) {
    console.warn('crane, regctl, oras, helm and cosign are not tried: go is not installed here');
    return {};
  }
  const found: Partial<Record<GoTool, string>> = {};
  const deadlineMs = performance.now() + BUILDING_MS;
  for (const tool of ['crane', 'regctl', 'oras', 'helm', 'cosign'] as const) {
    const program = await buildGoTool(tool, deadlineMs);
    if (program !== undefined) found[tool] = program;
  }
  return found;
}

const built = await programs();

describe.each(Object.entries(KINDS))('%s', (name, kindOf) => {
  const program = built[name as keyof typeof KINDS];
  describe.skipIf(program === undefined)('as every client', () => {
    testClient(kindOf(program ?? ''));
  });
});

describe.each(Object.entries(KINDS))('%s, with what it alone does', (name, kindOf) => {
  const program = built[name as keyof typeof KINDS] ?? '';
  const { host, alice } = inject('world');
  const registry = asAccount(alice);
  let directory: string;
  beforeAll(async () => {
    directory = await makeDirectory();
  });
  afterAll(async () => {
    registry.close();
    await rm(directory, { recursive: true, force: true });
  });

  it.skipIf(program === '')('pushes an index unchanged, copies it to another repository and deletes it', async () => {
    const client = await kindOf(program).create(directory);
    await client.logout(host);
    mustSucceed(await client.login(host, alice));
    const layout = await writeIndex(directory, ['amd64', 'arm64']);
    const [source, target] = [`alice/${name}-index`, `alice/${name}-copy`];
    mustSucceed(await client.push(layout, `${host}/${source}:1`));
    expect((await findManifest(registry, source, '1'))?.digest).toBe(layout.top.digest);

    const run = goToolIn(program, directory);
    for (const args of COMMANDS[name as keyof typeof KINDS](`${host}/${source}`, `${host}/${target}`, layout)) {
      mustSucceed(await run(args));
    }
    expect((await findManifest(registry, target, '1'))?.digest).toBe(layout.top.digest);
    expect(await findManifest(registry, source, layout.top.digest)).toBeUndefined();
  });
});

/** How each copies from one repository to another and deletes the source. */
const COMMANDS: Record<keyof typeof KINDS, (source: string, target: string, layout: Layout) => string[][]> = {
  crane: (source, target, { top }) => [
    ['copy', '--insecure', `${source}:1`, `${target}:1`],
    ['delete', '--insecure', `${source}@${top.digest}`],
  ],
  regctl: (source, target) => [
    ['image', 'copy', `${source}:1`, `${target}:1`],
    ['manifest', 'delete', '--force-tag-dereference', `${source}:1`],
  ],
  oras: (source, target, { top }) => [
    ['cp', '--recursive', '--from-plain-http', '--to-plain-http', `${source}:1`, `${target}:1`],
    ['manifest', 'delete', '--plain-http', '--force', `${source}@${top.digest}`],
  ],
};

describe.skipIf(built.oras === undefined)('oras, with artifacts', () => {
  const { host, alice } = inject('world');
  let directory: string;
  beforeAll(async () => {
    directory = await makeDirectory();
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  it('attaches an artifact to an image and finds it', async () => {
    const client = await oras(built.oras ?? '').create(directory);
    const run = goToolIn(built.oras ?? '', directory);
    mustSucceed(await client.login(host, alice));
    const subject = `${host}/alice/attached:1`;
    mustSucceed(await client.push(await writeImage(directory, [await makeLayer({ a: 'subject' })]), subject));
    const file = join(directory, 'statement.json');
    await writeFile(file, '{}');
    const attach = ['attach', '--plain-http', '--disable-path-validation', '--artifact-type', 'example/statement'];
    mustSucceed(await run([...attach, subject, `${file}:application/json`]));
    const found = mustSucceed(await run(['discover', '--plain-http', '--format', 'json', subject]));
    expect(found.stdout).toContain('example/statement');
  });
});

describe.skipIf(built.helm === undefined)('helm', () => {
  const { host, alice } = inject('world');
  let directory: string;
  beforeAll(async () => {
    directory = await makeDirectory();
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  it('packages a chart, pushes it, and pulls it', async () => {
    const run = goToolIn(built.helm ?? '', directory);
    await mkdir(join(directory, 'hello'));
    await writeFile(join(directory, 'hello', 'Chart.yaml'), 'apiVersion: v2\nname: hello\nversion: 1.0.0+build.1\n');
    mustSucceed(await run(['package', join(directory, 'hello'), '--destination', directory]));
    const login = ['registry', 'login', '--plain-http', '--username', alice.name, '--password-stdin', host];
    mustSucceed(await run(login, alice.password));
    mustSucceed(await run(['push', '--plain-http', join(directory, 'hello-1.0.0+build.1.tgz'), `oci://${host}/alice`]));
    const pulled = join(directory, 'pulled');
    const pull = ['pull', '--plain-http', `oci://${host}/alice/hello`, '--version', '1.0.0+build.1'];
    mustSucceed(await run([...pull, '--destination', pulled, '--untar']));
    expect(await findManifest(asAccount(alice), 'alice/hello', '1.0.0_build.1')).toBeDefined();
  });
});

describe.skipIf(built.cosign === undefined)('cosign', () => {
  const { host, alice } = inject('world');
  const registry = asAccount(alice);
  let directory: string;
  beforeAll(async () => {
    directory = await makeDirectory();
  });
  afterAll(async () => {
    registry.close();
    await rm(directory, { recursive: true, force: true });
  });

  it('signs an image and verifies it', async () => {
    const run = goToolIn(built.cosign ?? '', directory);
    const mustCosign = async (...args: string[]) => mustSucceed(await run(args));
    const { images, top } = await writeImage(directory, [await makeLayer({ signed: 'soon' })]);
    await pushDirectly(registry, 'alice/signed', images);
    await mustCosign('login', host, '--username', alice.name, '--password', alice.password);
    await mustCosign('generate-key-pair');
    const reference = `${host}/alice/signed@${top.digest}`;
    const offline = ['--allow-http-registry', '--yes', '--tlog-upload=false'];
    await mustCosign('sign', '--key', 'cosign.key', ...offline, reference);
    const verify = ['verify', '--key', 'cosign.pub', '--private-infrastructure', '--allow-http-registry', reference];
    expect((await mustCosign(...verify)).stdout).toContain(top.digest);
    expect(await findManifest(registry, 'alice/signed', `sha256-${top.digest.slice(7)}.sig`)).toBeDefined();
  });
});
