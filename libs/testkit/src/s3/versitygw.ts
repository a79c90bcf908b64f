import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { findFreePort } from '../entrepot.js';
import type { LaunchedS3, S3Credentials } from './s3-place.js';
import { startTied } from './tied-process.js';
import { cachedPath, hasProgram, keepInCache, runProgram } from './tool-cache.js';

const MODULE = 'github.com/versity/versitygw';
const VERSION = 'v1.8.0';
const NAME = `versitygw-${VERSION}`;

/** What keeps it from running here: programs that are missing. */
export function missingForVersitygw(): readonly string[] {
  return existsSync(cachedPath(NAME)) || hasProgram('go') ? [] : ['no go'];
}

/** Versity's gateway, built once from the Go module proxy, over a directory of files. */
export async function launchVersitygw(directory: string, credentials: S3Credentials): Promise<LaunchedS3> {
  const program = join(await keepInCache(NAME, build), 'versitygw');
  const port = await findFreePort();
  const objects = join(directory, 'objects');
  await mkdir(objects);
  const listening = ['--port', `127.0.0.1:${port}`, '--region', credentials.region, '--keep-alive', '--quiet'];
  const server = startTied([program, ...listening, 'posix', objects], {
    ROOT_ACCESS_KEY: credentials.accessKey,
    ROOT_SECRET_KEY: credentials.secretKey,
  });
  await server.until(() => accepts(port));
  return { port, process: server };
}

/** As a module of its own would: by the module's path, so that the proxy is not asked for each part of the program's. */
async function build(directory: string): Promise<void> {
  const settings = { directory, environment: { GOFLAGS: '' } };
  await runProgram('go', ['mod', 'init', 'tools'], settings);
  await runProgram('go', ['get', `${MODULE}@${VERSION}`], settings);
  await runProgram('go', ['build', '-mod=mod', '-o', 'versitygw', `${MODULE}/cmd/versitygw`], settings);
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
