import { readFileSync, statSync } from 'node:fs';
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
 * logged and the former stay. The paths are looked at every two seconds, which sees replaced files and swapped symbolic links
 * (as Kubernetes updates a mounted secret) where a watch on the file itself would not.
 * @param loaded what `fingerprintOf` gave before the files in use were read.
 * @returns a function that stops watching.
 */
export function watchTlsFiles(server: Server, files: TlsFiles, loaded: string, logger: Logger): () => void {
  let seen = loaded;
  const reload = (): void => {
    seen = fingerprintOf(files);
    try {
      server.setSecureContext(readTlsFiles(files));
      logger.info({ certificate: files.certificatePath }, 'the TLS certificate was loaded again');
    } catch (error) {
      logger.error({ err: error }, 'the new TLS files cannot be used; the former certificate stays');
    }
  };
  const timer = setInterval(() => {
    if (fingerprintOf(files) !== seen) reload();
  }, POLL_INTERVAL_MS).unref();
  process.on('SIGHUP', reload);
  return () => {
    clearInterval(timer);
    process.off('SIGHUP', reload);
  };
}

/** Differs when a file was replaced or written; a file that cannot be seen has a fingerprint too. */
export function fingerprintOf(files: TlsFiles): string {
  return [files.certificatePath, files.keyPath].map(fingerprintOfFile).join(' ');
}

function fingerprintOfFile(path: string): string {
  try {
    const { ino, mtimeMs, size } = statSync(path);
    return `${ino}:${mtimeMs}:${size}`;
  } catch {
    return 'unseen';
  }
}

function readPem(path: string, variable: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    throw new Error(`${variable}: ${path} cannot be read (${reason})`, { cause: error });
  }
}
