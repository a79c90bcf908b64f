import { startInstallation, type Installation } from '@entrepot/testkit/installation';
import { openRegistry } from '@entrepot/testkit/registry-client';
import { storageSettings, type S3Server } from '@entrepot/testkit/s3-server';
import type { Target } from '../client/push-image.js';
import type { Client } from '../client/start-client.js';
import type { TokenIssuer } from '../contenders/token-issuer.js';

/** How much of everything is done. */
export interface ScaleSize {
  readonly isQuick: boolean;
  readonly durationMs: number;
  /** Small images that are pushed for a rate. */
  readonly images: number;
  readonly pullers: number;
  readonly pushers: number;
  readonly layers: number;
  readonly layerBytes: number;
  readonly uploads: number;
  readonly uploadBytes: number;
  readonly tags: number;
  readonly repositories: number;
  /** How often a page is asked of the full and of the empty registry in turn. */
  readonly rounds: number;
}

const MIB = 1024 * 1024;

export const FULL_SCALE: ScaleSize = {
  isQuick: false,
  durationMs: 5_000,
  images: 600,
  pullers: 200,
  pushers: 100,
  layers: 20,
  layerBytes: MIB / 2,
  uploads: 64,
  uploadBytes: 1024 * MIB,
  tags: 1_000_000,
  repositories: 100_000,
  rounds: 5,
};

export const QUICK_SCALE: ScaleSize = {
  ...FULL_SCALE,
  isQuick: true,
  durationMs: 1_000,
  images: 100,
  pullers: 50,
  pushers: 25,
  layerBytes: MIB / 8,
  uploadBytes: 16 * MIB,
  tags: 50_000,
  repositories: 5_000,
  rounds: 2,
};

export const DRIVERS = ['filesystem', 's3'] as const;
export type Driver = (typeof DRIVERS)[number];

/** What every measurement may use. */
export interface ScaleLab {
  /** Everything is below it, but what the object store keeps. */
  readonly directory: string;
  readonly size: ScaleSize;
  readonly client: Client;
  readonly issuer: TokenIssuer;
  readonly s3: S3Server;
  readonly say: (line: string) => void;
}

/** Results as they are printed. */
export interface ScaleTable {
  readonly title: string;
  readonly text: string;
}

/**
 * An installation with that many data-plane processes behind nginx. Each is one process: what several of them do is what
 * is measured.
 */
export async function startReplicas(lab: ScaleLab, driver: Driver, registries: number): Promise<Installation> {
  return startInstallation({
    registries,
    parentDirectory: lab.directory,
    settings: { ENTREPOT_HTTP_WORKERS: '1', ...(driver === 's3' && storageSettings(await lab.s3.newBucket())) },
  });
}

/** A repository of alice's, with a token that was just made. */
export async function openTarget({ url, alice }: Installation, repository: string): Promise<Target> {
  const registry = openRegistry(url, alice);
  const token = await registry.token([`repository:alice/${repository}:pull,push`]);
  registry.close();
  return { repository: `alice/${repository}`, token };
}
