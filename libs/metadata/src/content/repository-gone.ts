import { RepositoryGone } from '@entrepot/content';
import { violatedConstraint } from '../database/errors.js';

const TO_REPOSITORY = new Set([
  'upload_repository_fkey',
  'repository_blob_repository_fkey',
  'manifest_repository_fkey',
  'tag_repository_fkey',
  'tag_history_repository_fkey',
]);

/** A write to a repository that was removed fails on its foreign key; everything else is returned as it is. */
export function translateRepositoryGone(error: unknown): unknown {
  if (!TO_REPOSITORY.has(violatedConstraint(error) ?? '')) return error;
  return new RepositoryGone('the repository was removed', { cause: error });
}
