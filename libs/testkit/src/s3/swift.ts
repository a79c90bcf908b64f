import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { LaunchedS3, S3Credentials } from './s3-place.js';
import { DEBIAN_PYTHON, fetchSwift } from './swift-packages.js';
import { SWIFT_PROGRAM, swiftConfiguration } from './swift-program.js';
import { startTied } from './tied-process.js';

/** OpenStack Swift behind its `s3api`, which checks signatures; tempauth takes an access key as account and user. */
export async function launchSwift(directory: string, credentials: S3Credentials): Promise<LaunchedS3> {
  const packages = await fetchSwift();
  const [account = '', user = ''] = credentials.accessKey.split(':');
  const files = swiftConfiguration({
    directory,
    region: credentials.region,
    account,
    user,
    key: credentials.secretKey,
    hashSuffix: randomBytes(8).toString('hex'),
  });
  for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text);
  const server = startTied([DEBIAN_PYTHON, '-c', SWIFT_PROGRAM, directory], { ...packages });
  return { port: Number(await server.nextLine()), process: server };
}
