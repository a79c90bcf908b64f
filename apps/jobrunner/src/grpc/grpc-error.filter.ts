import { ScheduleError } from '@entrepot/jobs';
import type { Logger } from '@entrepot/runtime';
import { status } from '@grpc/grpc-js';
import { Catch, Injectable, type ExceptionFilter } from '@nestjs/common';
import { throwError, type Observable } from 'rxjs';

/** A request that is refused, and why. */
export class RequestRefused extends Error {
  override readonly name = 'RequestRefused';

  constructor(
    readonly code: status.NOT_FOUND | status.INVALID_ARGUMENT,
    message: string,
  ) {
    super(message);
  }
}

/** The logger of the filter; the token under which Nest finds it. */
export class FilterRoom {
  constructor(readonly logger: Logger) {}
}

/** Where errors become statuses of gRPC. What is not known says nothing about itself to the client. */
@Catch()
@Injectable()
export class GrpcErrorFilter implements ExceptionFilter {
  constructor(private readonly room: FilterRoom) {}

  catch(error: unknown): Observable<never> {
    return throwError(() => this.#statusOf(error));
  }

  #statusOf(error: unknown): { code: status; message: string } {
    if (error instanceof RequestRefused) return { code: error.code, message: error.message };
    if (error instanceof ScheduleError) return { code: status.INVALID_ARGUMENT, message: error.message };
    if (error instanceof Error && 'retryable' in error && error.retryable === true) {
      return { code: status.UNAVAILABLE, message: 'the database cannot be used now; try again' };
    }
    this.room.logger.error({ err: error }, 'a call over gRPC failed unexpectedly');
    return { code: status.INTERNAL, message: 'internal error' };
  }
}
