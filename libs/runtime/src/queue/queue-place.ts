/** The tables of queues that live in Postgres are BullMQ's own, in a schema of their own. */
export const QUEUE_SCHEMA = 'bullmq';

export const QUEUE_POOL_SIZE = 2;

/** Connections that a service's queue opens at most where it lives in Postgres: those that ask, and one that listens. */
export const QUEUE_CONNECTIONS = 2 * QUEUE_POOL_SIZE + 1;
