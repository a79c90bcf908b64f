import { All, Controller, Get, Head, Module, Post, Req, Res, UseGuards } from '@nestjs/common';
import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { RegistryError } from '@entrepot/oci';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createNestHandler } from './nest-handler.js';
import { answerBodyLength, sendRaw, startListener } from './started-listener.suite.js';
import type { StartedListener } from './started-listener.suite.js';

class DomainError extends Error {}

class NoBobs implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const { raw } = context.switchToHttp().getRequest<FastifyRequest>();
    if (raw.headers['x-user'] === 'bob')
      throw new RegistryError('UNAUTHORIZED', { headers: { 'WWW-Authenticate': 'Basic' } });
    return true;
  }
}

@Controller('v2')
@UseGuards(NoBobs)
class SampleController {
  @Head('*')
  head(@Res() reply: FastifyReply): void {
    reply.header('content-length', '1234').send();
  }

  @Get('fail/refusal')
  refuse(): never {
    throw new RegistryError('MANIFEST_UNKNOWN', { detail: { reference: 'latest' } });
  }

  @Get('fail/domain')
  failDomain(): never {
    throw new DomainError('a rule of a domain');
  }

  @Get('fail/retryable')
  failForNow(): never {
    throw Object.assign(new Error('the database is restarting'), { retryable: true });
  }

  @Get('fail/told')
  failWithReason(): never {
    throw Object.assign(new Error('/srv is full deep inside'), {
      retryable: true,
      clientMessage: 'the storage is full',
    });
  }

  @Get('fail/half')
  async failHalfWay(@Res() reply: FastifyReply): Promise<never> {
    reply.hijack();
    reply.raw.writeHead(200, { 'Content-Length': 100 });
    await new Promise((resolve) => void reply.raw.write('half', resolve));
    throw new Error('the disk failed');
  }

  @Get('fail/*')
  fail(): never {
    throw new Error('unforeseen', { cause: new Error('deep inside') });
  }

  @Get('*')
  get(@Req() request: FastifyRequest, @Res() reply: FastifyReply): void {
    reply.header('content-type', 'application/json').send(JSON.stringify({ url: request.raw.url }));
  }

  @Post('*')
  post(@Req() request: FastifyRequest, @Res() reply: FastifyReply): void {
    reply.hijack();
    answerBodyLength(request.raw, reply.raw);
  }

  @All('only/this')
  all(): string {
    return 'all';
  }
}

@Module({ controllers: [SampleController] })
class SampleModule {}

async function startNest(): Promise<StartedListener> {
  const started = await startListener((request, response) => nest.handler(request, response));
  const nest = await createNestHandler(SampleModule, {
    logger: started.logger,
    mapError: (error) => (error instanceof DomainError ? new RegistryError('DENIED') : undefined),
  });
  onTestFinished(() => nest.close());
  return started;
}

describe('createNestHandler', () => {
  it.each([
    'application/json',
    'application/octet-stream',
    'application/vnd.oci.image.manifest.v1+json',
    'text/plain',
    'no media type',
    '',
  ])('leaves a body of type %j to the handler', async (type) => {
    const { origin } = await startNest();
    const body = Buffer.from('{"not": json');
    const answer = await fetch(`${origin}/v2/a`, {
      method: 'POST',
      body,
      headers: type === '' ? {} : { 'Content-Type': type },
    });
    expect(await answer.text()).toBe(String(body.length));
  });

  it('does not touch the URL', async () => {
    const { port } = await startNest();
    const url = '/v2/a%2Fb//c/../sha256:0?last=%41';
    const { text } = await sendRaw(port, `GET ${url} HTTP/1.1\r\nHost: registry\r\nConnection: close\r\n\r\n`);
    expect(text).toContain(JSON.stringify({ url }));
  });

  it('answers HEAD by its own handler', async () => {
    const { origin } = await startNest();
    const answer = await fetch(`${origin}/v2/x`, { method: 'HEAD' });
    expect(answer.headers.get('Content-Length')).toBe('1234');
  });

  it.each([
    ['/v2/fail/refusal', 404, { code: 'MANIFEST_UNKNOWN', detail: { reference: 'latest' } }],
    ['/v2/fail/domain', 403, { code: 'DENIED' }],
    ['/v2/fail/retryable', 503, { code: 'UNAVAILABLE' }],
    ['/v2/fail/told', 503, { code: 'UNAVAILABLE', message: 'the storage is full' }],
    ['/v2/fail/otherwise', 500, { code: 'UNKNOWN', message: 'unknown error' }],
    ['/v2/%zz', 400, { code: 'UNSUPPORTED' }],
  ])('answers %s with %i in the JSON of the distribution API', async (path, status, error) => {
    const { origin } = await startNest();
    const answer = await fetch(origin + path);
    expect(answer.status).toBe(status);
    expect(answer.headers.get('Content-Type')).toBe('application/json');
    expect(answer.headers.get('Docker-Distribution-Api-Version')).toBe('registry/2.0');
    expect(answer.headers.get('Retry-After')).toBe(status === 503 ? '1' : null);
    const text = await answer.text();
    expect(JSON.parse(text)).toMatchObject({ errors: [error] });
    expect(text).not.toMatch(/unforeseen|deep inside|restarting|rule of a domain/);
  });

  it('answers what a guard throws, headers and all', async () => {
    const { origin } = await startNest();
    const answer = await fetch(`${origin}/v2/`, { headers: { 'X-User': 'bob' } });
    expect([answer.status, answer.headers.get('WWW-Authenticate')]).toEqual([401, 'Basic']);
  });

  it('answers HEAD without a body', async () => {
    const { port } = await startNest();
    const head = 'HTTP/1.1\r\nHost: registry\r\nX-User: bob\r\nConnection: close\r\n\r\n';
    const { text, statuses } = await sendRaw(port, `HEAD /v2/ ${head}`);
    expect(statuses).toEqual([401]);
    expect(text.endsWith('\r\n\r\n')).toBe(true);
  });

  it.each(['PUT', 'PROPFIND'])('answers a method that no handler has (%s)', async (method) => {
    const { origin } = await startNest();
    const answer = await fetch(`${origin}/v2/a`, { method });
    expect(answer.status).toBe(404);
    expect(await answer.json()).toMatchObject({ errors: [{ code: 'UNSUPPORTED' }] });
  });

  it.each(['PURGE', 'LINK', 'QUERY'])(
    'hands a method that Fastify does not know to a handler of all (%s)',
    async (method) => {
      const { port } = await startNest();
      const head = 'HTTP/1.1\r\nHost: registry\r\nConnection: close\r\n\r\n';
      expect((await sendRaw(port, `${method} /v2/only/this ${head}`)).statuses).toEqual([200]);
    },
  );

  it('puts the causes into the log, with the id that the answer has', async () => {
    const { origin, lines } = await startNest();
    const answer = await fetch(`${origin}/v2/fail/otherwise`);
    const requestId = answer.headers.get('X-Request-Id') ?? '';
    expect(await answer.json()).toMatchObject({ errors: [{ detail: { requestId } }] });
    const logged = lines.filter((line) => line.includes(requestId));
    expect(logged.join('')).toContain('deep inside');
  });

  it('cuts an answer that failed half-way, so that nobody takes it for whole', async () => {
    const { port } = await startNest();
    const { text } = await sendRaw(port, 'GET /v2/fail/half HTTP/1.1\r\nHost: registry\r\n\r\n');
    expect(text).toMatch(/^HTTP\/1\.1 200 OK[^]*\r\n\r\nhalf$/);
  });
});
