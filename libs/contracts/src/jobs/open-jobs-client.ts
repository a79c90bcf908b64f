import {
  type Client,
  credentials,
  loadPackageDefinition,
  type GrpcObject,
  type ServiceClientConstructor,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { PROTO_OPTIONS } from '../wire/proto-files.js';
import type {
  CancelJobRequest,
  GetLogRequest,
  JobMessage,
  ListJobsRequest,
  LogLineMessage,
  RunJobRequest,
  ScheduleMessage,
  SetScheduleRequest,
  WorkerMessage,
} from './messages.js';

/** The package and the file, for servers too. */
export const JOBS_PACKAGE = 'entrepot.jobs.v1';
export const JOBS_PROTO = 'entrepot/jobs/v1/jobs.proto';

export interface JobsClientOptions {
  /** `host:port` of a jobrunner. */
  readonly address: string;
  /** PEM: who may have signed the jobrunner's certificate, and by which certificate this client is known. */
  readonly authorities: Buffer;
  readonly certificate: Buffer;
  readonly key: Buffer;
  /** How long an answer is waited for; default 10 s. */
  readonly timeoutMs?: number;
}

/** Control of jobs from another process. Calls reject with the `ServiceError` of grpc-js, whose `code` says why. */
export interface JobsClient {
  list(request: Partial<ListJobsRequest>): Promise<readonly JobMessage[]>;
  get(id: string): Promise<JobMessage>;
  run(request: Partial<RunJobRequest> & Pick<RunJobRequest, 'action' | 'requestedBy'>): Promise<JobMessage>;
  cancel(request: CancelJobRequest): Promise<JobMessage>;
  delete(id: string): Promise<void>;
  /** Lines as they come; leaving the loop ends the call. */
  log(request: Partial<GetLogRequest> & Pick<GetLogRequest, 'id'>): AsyncIterable<LogLineMessage>;
  schedules(): Promise<readonly ScheduleMessage[]>;
  setSchedule(request: SetScheduleRequest): Promise<ScheduleMessage>;
  workers(): Promise<readonly WorkerMessage[]>;
  close(): void;
}

const TIMEOUT_MS = 10_000;

export function openJobsClient({ address, authorities, key, certificate, timeoutMs }: JobsClientOptions): JobsClient {
  const stub = new (jobsService())(address, credentials.createSsl(authorities, key, certificate));
  const ask = asker(stub, timeoutMs ?? TIMEOUT_MS);
  return {
    list: async (request) => (await ask<{ jobs: JobMessage[] }>('ListJobs', request)).jobs,
    get: (id) => ask('GetJob', { id }),
    run: (request) => ask('RunJob', request),
    cancel: (request) => ask('CancelJob', request),
    delete: async (id) => void (await ask('DeleteJob', { id })),
    log: (request) => follow(stub, request),
    schedules: async () => (await ask<{ schedules: ScheduleMessage[] }>('ListSchedules', {})).schedules,
    setSchedule: (request) => ask('SetSchedule', request),
    workers: async () => (await ask<{ workers: WorkerMessage[] }>('ListWorkers', {})).workers,
    close: () => stub.close(),
  };
}

function jobsService(): ServiceClientConstructor {
  const definitions = loadPackageDefinition(loadSync(JOBS_PROTO, PROTO_OPTIONS));
  const found = JOBS_PACKAGE.split('.').reduce<GrpcObject>((object, name) => object[name] as GrpcObject, definitions);
  return found['Jobs'] as ServiceClientConstructor;
}

function asker(stub: Client, timeoutMs: number) {
  return <Answer>(method: string, request: object): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const { path, requestSerialize, responseDeserialize } = methodOf(stub, method);
      const deadline = Date.now() + timeoutMs;
      stub.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, { deadline }, (error, answer) => {
        if (error) reject(error);
        else resolve(answer as Answer);
      });
    });
}

async function* follow(stub: Client, request: object): AsyncGenerator<LogLineMessage> {
  const { path, requestSerialize, responseDeserialize } = methodOf(stub, 'GetLog');
  const call = stub.makeServerStreamRequest(path, requestSerialize, responseDeserialize, request);
  try {
    for await (const line of call) yield line as LogLineMessage;
  } finally {
    call.cancel();
  }
}

function methodOf(stub: Client, name: string) {
  const method = (stub.constructor as ServiceClientConstructor).service[name];
  if (method === undefined) throw new Error(`${JOBS_PROTO} has no ${name}`);
  return method;
}
