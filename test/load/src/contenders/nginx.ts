import { spawnSync } from 'node:child_process';
import { linkSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../machine/free-port.js';
import { hasProgram } from '../machine/run-command.js';
import { startServer } from '../machine/server-process.js';
import type { Absence, Contender, Instance, Place } from './contender.js';

/** nginx as a server of files by sendfile: the mark for blob reads. It checks no tokens. */
export async function findNginx(): Promise<Contender | Absence> {
  const name = 'nginx';
  if (!hasProgram(name, '-v')) return { name, reason: 'not installed (apt-get install nginx-light)' };
  const version = spawnSync(name, ['-v'], { encoding: 'utf8' })
    .stderr.trim()
    .replace(/^nginx version: /, '');
  return { name, description: `${version}, sendfile, no tokens`, isRegistry: false, launch: launchNginx };
}

async function launchNginx({ directory }: Place): Promise<Instance> {
  const root = join(directory, 'files');
  mkdirSync(root, { recursive: true });
  const port = await freePort();
  const configFile = join(directory, 'nginx.conf');
  writeFileSync(configFile, configuration(directory, port));
  const origin = `http://127.0.0.1:${port}`;
  const process = await startServer({
    program: 'nginx',
    parameters: ['-p', directory, '-e', join(directory, 'error.log'), '-c', configFile],
    directory,
    readyUrl: `${origin}/`,
  });
  return {
    process,
    origin,
    token: async () => '',
    blobPath: (_repository, digest) => `/${fileName(digest)}`,
    loadTags: async () => {},
    placeBlob: async (file, digest) => linkSync(file, join(root, fileName(digest))),
  };
}

function fileName(digest: string): string {
  return digest.replace(':', '-');
}

/** The workers keep the user that starts the bench: the files are in its private directory. */
function configuration(directory: string, port: number): string {
  const user = process.getuid?.() === 0 ? 'user root;\n' : '';
  const scratch = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (kind) => `  ${kind}_temp_path ${directory}/${kind};`,
  );
  return `${user}daemon off;
worker_processes auto;
pid ${directory}/nginx.pid;
events { worker_connections 512; }
http {
${scratch.join('\n')}
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 1000000;
  server {
    listen 127.0.0.1:${port};
    root ${directory}/files;
  }
}
`;
}
