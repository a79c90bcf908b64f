export { describeConfiguration } from './config/describe-configuration.js';
export { ConfigError, loadConfig } from './config/load-config.js';
export type { LoadConfigOptions } from './config/load-config.js';
export { maskedConfig } from './config/masked-config.js';
export { openWithRing, ringSealer, signWithRing, verifyWithRing } from './config/ring.js';
export { isInNetworks, parseNetworks } from './config/networks.js';
export { Secret } from './config/secret.js';
export type { SecretRing } from './config/secret.js';
export { configKeys, section, variableName } from './config/section.js';
export type { ConfigKey, ConfigOf, ConfigSection, SectionValues } from './config/section.js';
export {
  httpSection,
  isLoopbackHost,
  logSection,
  opsSection,
  redisSection,
  secretsSection,
} from './config/sections.js';
export type { HttpConfig, LogConfig, OpsConfig } from './config/sections.js';
export { boolean, byteSize, durationMs, port, secret, secretRing, textList, wholeNumber } from './config/values.js';
export { armFailPoint } from './faults/arm-fail-point.js';
export { answerError, toRegistryError } from './http/answer-error.js';
export type { ErrorEdge } from './http/answer-error.js';
export { addressGroup, clientAddress, isFromProxy } from './http/client-address.js';
export { RegistryErrorFilter } from './http/error-filter.js';
export type { MountOptions } from './http/front.js';
export { createHealth } from './http/health.js';
export type { DependencyHealth, Health, HealthCheck } from './http/health.js';
export { ListenError, listenOn } from './http/listen.js';
export type { ListenTarget } from './http/listen.js';
export { createListener } from './http/listener.js';
export type { Listener, ListenerOptions } from './http/listener.js';
export { createNestHandler } from './http/nest-handler.js';
export type { NestHandler } from './http/nest-handler.js';
export { createOpsServer } from './http/ops.js';
export type { OpsServer, OpsServerOptions } from './http/ops.js';
export { publicOrigin } from './http/public-origin.js';
export { continueUpload, refuseBody } from './http/refuse-body.js';
export { exchangeOf } from './observe/exchange.js';
export type { Exchange } from './observe/exchange.js';
export { createLogger } from './observe/logger.js';
export type { Logger, LoggerOptions } from './observe/logger.js';
export { createMetrics } from './observe/metrics.js';
export type { Metrics, PoolState } from './observe/metrics.js';
export { createNestLog } from './observe/nest-log.js';
export { printable } from './observe/printable.js';
export { createQueues } from './queue/create-queues.js';
export type { Queues, QueuesOptions } from './queue/create-queues.js';
export { migrateQueues } from './queue/migrate-queues.js';
export { Fleet } from './workers/fleet.js';
export type { FleetOptions } from './workers/fleet.js';
export { WorkerRefused } from './workers/fleet-worker.js';
export { joinFleet } from './workers/join-fleet.js';
export type { FleetLink, FleetMember } from './workers/join-fleet.js';
export type { RunningService, ServiceResources, ServiceStarter } from './service-starter.js';
