import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { ConfigError, type Logger } from '@entrepot/runtime';
import { experimental, type ServerCredentials } from '@grpc/grpc-js';

export interface TlsPaths {
  readonly certificate: string;
  readonly key: string;
  readonly clientCa: string;
  /** How often they are looked at. */
  readonly reloadMs: number;
}

type CaListener = Parameters<experimental.CertificateProvider['addCaCertificateListener']>[0];
type IdentityListener = Parameters<experimental.CertificateProvider['addIdentityCertificateListener']>[0];

interface TlsFiles {
  readonly certificate: Buffer;
  readonly key: Buffer;
  readonly clientCa: Buffer;
}

/**
 * Credentials of a server whose clients need a certificate; handshakes use what the files held at the last look. Throws
 * `ConfigError`.
 */
export function mutualTls(paths: TlsPaths, logger: Logger): { readonly credentials: ServerCredentials; stop(): void } {
  const watched = new WatchedFiles(paths, logger);
  const credentials = experimental.createCertificateProviderServerCredentials(watched, watched, true);
  return { credentials, stop: () => watched.stop() };
}

/** grpc-js has such a provider too; it would wait for good files without a word, and serve nobody until then. */
class WatchedFiles implements experimental.CertificateProvider {
  readonly #caListeners = new Set<CaListener>();
  readonly #identityListeners = new Set<IdentityListener>();
  readonly #timer: NodeJS.Timeout;
  #files: TlsFiles;

  constructor(
    private readonly paths: TlsPaths,
    private readonly logger: Logger,
  ) {
    try {
      this.#files = readFiles(paths);
    } catch (error) {
      throw new ConfigError([`ENTREPOT_GRPC_CERTIFICATE: the files cannot be used: ${(error as Error).message}`]);
    }
    this.#timer = setInterval(() => this.#reload(), paths.reloadMs).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  addCaCertificateListener(listener: CaListener): void {
    this.#caListeners.add(listener);
    // Not at once: whoever adds it is not ready to pass on what it hears.
    queueMicrotask(() => listener({ caCertificate: this.#files.clientCa }));
  }

  removeCaCertificateListener(listener: CaListener): void {
    this.#caListeners.delete(listener);
  }

  addIdentityCertificateListener(listener: IdentityListener): void {
    this.#identityListeners.add(listener);
    queueMicrotask(() => listener(this.#identity()));
  }

  removeIdentityCertificateListener(listener: IdentityListener): void {
    this.#identityListeners.delete(listener);
  }

  #identity() {
    return { certificate: this.#files.certificate, privateKey: this.#files.key };
  }

  #reload(): void {
    const { certificate, key, clientCa } = this.#files;
    try {
      const files = readFiles(this.paths);
      if (files.certificate.equals(certificate) && files.key.equals(key) && files.clientCa.equals(clientCa)) return;
      this.#files = files;
    } catch (error) {
      this.logger.error({ err: error }, 'the TLS files of the gRPC service cannot be used; the former ones stay');
      return;
    }
    for (const listener of this.#caListeners) listener({ caCertificate: this.#files.clientCa });
    for (const listener of this.#identityListeners) listener(this.#identity());
    this.logger.info('the TLS files of the gRPC service were loaded again');
  }
}

/** Throws where they cannot be read, or do not belong together. */
function readFiles(paths: TlsPaths): TlsFiles {
  const files = {
    certificate: readFileSync(paths.certificate),
    key: readFileSync(paths.key),
    clientCa: readFileSync(paths.clientCa),
  };
  createSecureContext({ cert: files.certificate, key: files.key, ca: files.clientCa });
  return files;
}
