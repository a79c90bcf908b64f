/** What distinguishes one embedded server from another. */
export interface ServerSettings {
  /** Directory of the unix socket, the only address that the server listens on. */
  readonly socketDirectory: string;
  /** False only for throw-away servers: a crash of the machine then loses data. */
  readonly isDurable: boolean;
  readonly maxConnections: number;
}

/** The port only names the socket file (`.s.PGSQL.5432`); every client assumes this one. */
export const SOCKET_PORT = 5432;

/**
 * Arguments of `postgres`: small memory and few processes, since everything else of Entrepot runs beside it. They are
 * given at each start, so that a change here reaches clusters that exist already.
 */
export function serverArguments(clusterDirectory: string, settings: ServerSettings): string[] {
  const durability = settings.isDurable ? 'on' : 'off';
  const parameters: Record<string, string | number> = {
    cluster_name: 'entrepot',
    listen_addresses: '',
    port: SOCKET_PORT,
    unix_socket_directories: settings.socketDirectory,
    unix_socket_permissions: '0700',
    max_connections: settings.maxConnections,

    shared_buffers: '64MB',
    huge_pages: 'off',
    effective_cache_size: '512MB',
    work_mem: '4MB',
    maintenance_work_mem: '32MB',
    temp_file_limit: '1GB',

    fsync: durability,
    synchronous_commit: durability,
    full_page_writes: durability,
    wal_level: 'minimal',
    max_wal_senders: 0,
    wal_buffers: '4MB',
    wal_compression: 'on',
    min_wal_size: '64MB',
    max_wal_size: '512MB',
    checkpoint_timeout: '10min',

    // No worker processes that wait for work: a registry's queries are short, and none gains from parallel plans.
    io_method: 'sync',
    max_logical_replication_workers: 0,
    max_parallel_workers_per_gather: 0,
    max_parallel_maintenance_workers: 0,
    autovacuum_max_workers: 2,
    jit: 'off',
    random_page_cost: 1.1,

    timezone: 'UTC',
    log_timezone: 'UTC',
    // Statements and details of errors repeat values, and values may be secret.
    log_min_messages: 'warning',
    log_min_error_statement: 'panic',
    log_error_verbosity: 'terse',
    log_checkpoints: 'off',
  };
  return ['-D', clusterDirectory, ...Object.entries(parameters).flatMap(([name, value]) => ['-c', `${name}=${value}`])];
}
