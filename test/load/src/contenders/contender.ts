import type { S3Bucket } from '@entrepot/testkit/s3-server';
import type { ServerProcess } from '../machine/server-process.js';
import type { TokenIssuer } from './token-issuer.js';

export const CONTENDER_NAMES = ['entrepot', 'distribution', 'docker-registry', 'nginx'] as const;
export type ContenderName = (typeof CONTENDER_NAMES)[number];

/** A program that this machine can run. */
export interface Contender {
  readonly name: ContenderName;
  /** What it says of itself, and what of its set-up matters to the reader of the table. */
  readonly description: string;
  /** False for a plain file server, which takes part in blob reads only. */
  readonly isRegistry: boolean;
  /** Starts it over the data in `place.directory`, which may be empty, and waits until it answers. */
  launch(place: Place): Promise<Instance>;
}

/** A contender that takes no part, and why. */
export interface Absence {
  readonly name: ContenderName;
  readonly reason: string;
}

export interface Place {
  readonly directory: string;
  readonly issuer: TokenIssuer;
  /** Where blobs go in place of the directory. */
  readonly bucket?: S3Bucket;
}

/** A contender that runs. */
export interface Instance {
  readonly process: ServerProcess;
  /** `http://127.0.0.1:port` */
  readonly origin: string;
  /** A bearer token for one repository. A file server gives an empty one. */
  token(repository: string, actions: string): Promise<string>;
  /** The path at which the blob is read. */
  blobPath(repository: string, digest: string): string;
  /** Brings a repository of `tags` to life by the fastest faithful way that this contender has. */
  loadTags(load: TagLoad): Promise<void>;
  /** Puts a file where `blobPath` finds it, for contenders that take no uploads. */
  placeBlob?(file: string, digest: string): Promise<void>;
}

/** Tags that shall all name one manifest that is already in the repository. */
export interface TagLoad {
  readonly repository: string;
  readonly manifest: Buffer;
  readonly digest: string;
  readonly tags: readonly string[];
  /** A directory that holds, or will hold, a tree of these tags in the layout that both peers share. */
  readonly treeDirectory: string;
}
