export { readConnection, connectionUrl, type PostgresConnection } from './connection.js';
export {
  startEmbeddedPostgres,
  type EmbeddedPostgres,
  type EmbeddedPostgresOptions,
  type PostgresEvent,
} from './embedded-postgres.js';
export { PostgresError } from './postgres-error.js';
