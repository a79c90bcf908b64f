import type {
  CancelJobRequest,
  GetLogRequest,
  JobIdMessage,
  JobMessage,
  ListJobsRequest,
  LogLineMessage,
  RunJobRequest,
  ScheduleMessage,
  SetScheduleRequest,
  WorkerMessage,
} from '@entrepot/contracts';
import type { Job, JobRecords } from '@entrepot/jobs';
import { status } from '@grpc/grpc-js';
import { Controller, UseFilters } from '@nestjs/common';
import { GrpcMethod } from '@nestjs/microservices';
import { Observable } from 'rxjs';
import { followLog } from './follow-log.js';
import { GrpcErrorFilter, RequestRefused } from './grpc-error.filter.js';
import { readFilter, readNewJob, readRequester } from './read-request.js';
import { toJobMessage, toLineMessage, toScheduleMessage, toWorkerMessage } from './to-message.js';

/** What the controller works with; the token under which Nest finds it. */
export class JobsDesk {
  constructor(
    readonly records: JobRecords,
    /** Tells workers that something changed. */
    readonly ring: () => void,
  ) {}
}

/** `entrepot.jobs.v1.Jobs`. */
@Controller()
@UseFilters(GrpcErrorFilter)
export class JobsController {
  constructor(private readonly desk: JobsDesk) {}

  @GrpcMethod('Jobs', 'ListJobs')
  async list(request: ListJobsRequest): Promise<{ jobs: JobMessage[] }> {
    return { jobs: (await this.desk.records.list(readFilter(request))).map(toJobMessage) };
  }

  @GrpcMethod('Jobs', 'GetJob')
  async get({ id }: JobIdMessage): Promise<JobMessage> {
    return toJobMessage(await this.#find(id));
  }

  @GrpcMethod('Jobs', 'RunJob')
  async run(request: RunJobRequest): Promise<JobMessage> {
    const job = await this.desk.records.add(readNewJob(request));
    this.desk.ring();
    return toJobMessage(job);
  }

  @GrpcMethod('Jobs', 'CancelJob')
  async cancel({ id, requestedBy }: CancelJobRequest): Promise<JobMessage> {
    const job = await this.desk.records.cancel(id, readRequester(requestedBy));
    if (job === undefined) throw noSuchJob(id);
    this.desk.ring();
    return toJobMessage(job);
  }

  @GrpcMethod('Jobs', 'DeleteJob')
  async delete({ id }: JobIdMessage): Promise<object> {
    if (!(await this.desk.records.remove(id))) throw noSuchJob(id);
    this.desk.ring();
    return {};
  }

  @GrpcMethod('Jobs', 'GetLog')
  async log({ id, afterLine, follow }: GetLogRequest): Promise<Observable<LogLineMessage>> {
    await this.#find(id);
    return new Observable((subscriber) => {
      const reading = new AbortController();
      const { signal } = reading;
      const send = async (): Promise<void> => {
        for await (const line of followLog(this.desk.records, { id, afterLine, follow, signal })) {
          subscriber.next(toLineMessage(line));
        }
        subscriber.complete();
      };
      send().catch((error: unknown) => subscriber.error(error));
      return () => reading.abort();
    });
  }

  @GrpcMethod('Jobs', 'ListSchedules')
  async schedules(): Promise<{ schedules: ScheduleMessage[] }> {
    return { schedules: (await this.desk.records.schedules()).map(toScheduleMessage) };
  }

  @GrpcMethod('Jobs', 'SetSchedule')
  async setSchedule({ action, schedule, requestedBy }: SetScheduleRequest): Promise<ScheduleMessage> {
    const override = schedule === '' ? undefined : schedule;
    const changed = await this.desk.records.setSchedule(action, override, readRequester(requestedBy));
    if (changed === undefined) throw new RequestRefused(status.NOT_FOUND, `no jobrunner knows the kind ${action}`);
    this.desk.ring();
    return toScheduleMessage(changed);
  }

  @GrpcMethod('Jobs', 'ListWorkers')
  async workers(): Promise<{ workers: WorkerMessage[] }> {
    return { workers: (await this.desk.records.workers()).map(toWorkerMessage) };
  }

  async #find(id: string): Promise<Job> {
    const job = await this.desk.records.find(id);
    if (job === undefined) throw noSuchJob(id);
    return job;
  }
}

function noSuchJob(id: string): RequestRefused {
  return new RequestRefused(status.NOT_FOUND, `there is no job ${id}`);
}
