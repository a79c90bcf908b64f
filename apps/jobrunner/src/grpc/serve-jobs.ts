import 'reflect-metadata';
import { JOBS_PACKAGE, JOBS_PROTO, PROTO_OPTIONS } from '@entrepot/contracts';
import { createNestLog, type Logger, type SectionValues } from '@entrepot/runtime';
import { Module, type DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Transport, type GrpcOptions } from '@nestjs/microservices';
import { FilterRoom, GrpcErrorFilter } from './grpc-error.filter.js';
import type { grpcSection } from './grpc-section.js';
import { JobsController, JobsDesk } from './jobs.controller.js';
import { mutualTls } from './mutual-tls.js';

export interface ServedJobs {
  close(): Promise<void>;
}

@Module({ controllers: [JobsController] })
class JobsModule {}

function jobsModule(desk: JobsDesk, logger: Logger): DynamicModule {
  const room = new FilterRoom(logger);
  return {
    module: JobsModule,
    providers: [{ provide: JobsDesk, useValue: desk }, { provide: FilterRoom, useValue: room }, GrpcErrorFilter],
  };
}

/** Opens the gRPC port where the settings name one. Rejects with `ConfigError` or `ListenError`. */
export async function serveJobs(
  config: SectionValues<typeof grpcSection>,
  desk: JobsDesk,
  logger: Logger,
): Promise<ServedJobs | undefined> {
  const { host, port, certificate, key, clientCa, reload: reloadMs } = config;
  if (port === undefined || certificate === undefined || key === undefined || clientCa === undefined) return undefined;
  const tls = mutualTls({ certificate, key, clientCa, reloadMs }, logger);
  const options: GrpcOptions['options'] = {
    package: JOBS_PACKAGE,
    protoPath: JOBS_PROTO,
    loader: PROTO_OPTIONS,
    url: `${host.includes(':') ? `[${host}]` : host}:${port}`,
    credentials: tls.credentials,
  };
  const nestLog = createNestLog(logger);
  const app = await NestFactory.createMicroservice<GrpcOptions>(jobsModule(desk, logger), {
    transport: Transport.GRPC,
    options,
    logger: nestLog,
  });
  await app.listen();
  logger.info({ host, port }, 'other services can control jobs');
  return {
    async close() {
      tls.stop();
      await app.close();
    },
  };
}
