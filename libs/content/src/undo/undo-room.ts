import { RegistryError, type RepositoryName } from '@entrepot/oci';
import type { Actor } from '../ports/content-reader.js';
import type { RestoredManifest } from '../ports/undo-statements.js';
import type { ContentTransaction, UnitOfWork } from '../ports/unit-of-work.js';

/** Where something is taken back, by whom, and under which rules. */
export interface UndoRoom {
  readonly work: UnitOfWork;
  readonly repositoryId: string;
  readonly repositoryName: RepositoryName;
  readonly actor: Actor;
  /** Time until garbage collection may look at what lost its reference. */
  readonly graceMs: number;
  /** How long what was deleted is kept; 0 where it is not kept. */
  readonly undoMs: number;
}

/** What a restoration brought back beside what was named. */
export interface Restored {
  /** Manifests that readers find again. */
  readonly manifests: readonly RestoredManifest[];
}

/** Where undo is turned off nothing is restored, though it may not be collected yet. */
export function requireUndo({ undoMs }: UndoRoom): void {
  if (undoMs > 0) return;
  throw new RegistryError('UNSUPPORTED', { message: 'nothing can be restored while ENTREPOT_GC_UNDO is 0s' });
}

interface Change {
  /** Past tense, as in `ChangeRecord`. */
  readonly kind: string;
  readonly detail: Readonly<Record<string, unknown>>;
  readonly manifests: number;
  readonly sizeBytes: number;
}

export function recordChange(tx: ContentTransaction, room: UndoRoom, change: Change): Promise<void> {
  const { repositoryId, repositoryName, actor } = room;
  return tx.record({ repositoryId, repositoryName, actor, ...change });
}

export function totalBytes(manifests: readonly RestoredManifest[]): number {
  return manifests.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}
