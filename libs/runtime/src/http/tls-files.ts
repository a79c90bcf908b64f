import { readFileSync, unwatchFile, watchFile } from 'node:fs';
import type { Server } from 'node:https';
import { createSecureContext } from 'node:tls';
import type { SecureContextOptions } from 'node:tls';
import type { Logger } from '../observe/logger.js';

const POLL_INTERVAL_MS = 2000;

export interface TlsFiles {
  readonly certificatePath: string;
  readonly keyPath: string;
}

/**
 * Reads certificate and key and proves that they belong together.
 * @throws Error with a one-line message naming the setting.
 */
export function readTlsFiles(files: TlsFiles): SecureContextOptions {
  const options: SecureContextOptions = {
    cert: readPem(files.certificatePath, 'ENTREPOT_HTTP_TLS_CERTIFICATE'),
    key: readPem(files.keyPath, 'ENTREPOT_HTTP_TLS_KEY'),
    minVersion: 'TLSv1.2',
  };
  try {
    createSecureContext(options);
  } catch (error) {
    throw new Error('ENTREPOT_HTTP_TLS_CERTIFICATE and ENTREPOT_HTTP_TLS_KEY are not a PEM certificate and its key', {
      cause: error,
    });
  }
  return options;
}

/**
 * Takes new files into use when they change, and on SIGHUP, for connections made from then on. Files that cannot be used are
 * logged and the former stay. Files are looked at by path every two seconds, which sees replaced files and swapped symbolic links
 * (as Kubernetes updates a mounted secret) where a watch on the file itself would not.
 * @returns a function that stops watching.
 */
export function watchTlsFiles(server: Server, files: TlsFiles, logger: Logger): () => void {
  const reload = (): void => {
    try {
      server.setSecureContext(readTlsFiles(files));
      logger.info({ certificate: files.certificatePath }, 'the TLS certificate was loaded again');
    } catch (error) {
      logger.error({ err: error }, 'the new TLS files cannot be used; the former certificate stays');
    }
  };
  const paths = [files.certificatePath, files.keyPath];
  for (const path of paths) watchFile(path, { interval: POLL_INTERVAL_MS, persistent: false }, reload);
  process.on('SIGHUP', reload);
  return () => {
    for (const path of paths) unwatchFile(path, reload);
    process.off('SIGHUP', reload);
  };
}

function readPem(path: string, variable: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    throw new Error(`${variable}: ${path} cannot be read (${reason})`, { cause: error });
  }
}
