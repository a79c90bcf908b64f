import type { Group } from '../model/group.js';
import { count, type Storm } from './storm.js';

/** Deletes the repository that only this group is in; others mount from it, and upload to it, meanwhile. */
export async function deleteRepository(storm: Storm, group: Group): Promise<void> {
  const { repository } = group;
  await group.change(`delete ${repository}`, async () => {
    await storm.undo.deleteRepository(repository);
    group.clear();
    count(storm, 'repositories deleted');
    await storm.undo.createRepository(repository);
  });
}
