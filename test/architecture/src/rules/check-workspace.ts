import { readArrowTable } from '../workspace/arrow-table.js';
import { readWorkspace } from '../workspace/read-workspace.js';
import { checkArrows } from './check-arrows.js';
import { checkManifests } from './check-manifests.js';
import { checkPlacement } from './check-placement.js';
import type { Violation } from './violation.js';

/** Every breach of the architecture in the workspace at `top`. */
export function checkWorkspace(top: string): Violation[] {
  const workspace = readWorkspace(top);
  return [...checkArrows(workspace, readArrowTable()), ...checkPlacement(workspace), ...checkManifests(workspace)];
}
