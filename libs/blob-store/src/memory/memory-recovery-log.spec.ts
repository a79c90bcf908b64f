import { recoveryLogSuite } from '@entrepot/content/ports/recovery-log.suite';
import { MemoryRecoveryLog } from './memory-recovery-log.js';

recoveryLogSuite('memory', async () => ({
  log: new MemoryRecoveryLog(),
  objects: async () => [],
  close: async () => undefined,
}));
