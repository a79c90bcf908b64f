import type { IncomingMessage } from 'node:http';
import { bearerChallenge, type RepositoryAccess, type Revocations } from '@entrepot/access';
import {
  RegistryError,
  matchRoute,
  parseQuery,
  parseRepositoryName,
  type RepositoryName,
  type RouteMatch,
} from '@entrepot/oci';
import { exchangeOf, publicOrigin, type HttpConfig } from '@entrepot/runtime';
import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { demandOf, scopeOf, type Demand } from './authorization.js';
import { attachCall, type Call, type Caller } from './call.js';
import { identifyCaller, type Identification, type MakeChallenge } from './identify-caller.js';

/** Everything the guard decides by. */
export class GuardRoom {
  constructor(
    readonly identification: Identification,
    readonly revocations: Revocations,
    readonly http: Pick<HttpConfig, 'publicUrl' | 'tlsCertificate'>,
    /** Name of this registry in challenges. */
    readonly service: string,
  ) {}
}

/** The one gate of the data plane: every request passes here, and what the table does not name is denied. */
@Injectable()
export class AccessGuard implements CanActivate {
  constructor(private readonly room: GuardRoom) {}

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const http = context.switchToHttp();
    const request = http.getRequest<FastifyRequest>().raw;
    const response = http.getResponse<FastifyReply>().raw;
    const match = matchRoute(request.method ?? '', request.url ?? '');
    exchangeOf(request).route = match.route;
    const demand = demandOf(match);
    if (!demand) throw new RegistryError('DENIED');
    const mountFrom = mountSourceOf(match);
    const scope = scopeOf(match, mountFrom);
    const challenge = this.#challenger(request, scope);
    const admit = (caller: Caller): boolean => {
      checkDemand(this.room.revocations, { demand, match, caller, challenge, mountFrom });
      attachCall({ request, response, match, caller, challenge, mountFrom } as Call);
      return true;
    };
    const caller = identifyCaller(this.room.identification, request, { scope, challenge });
    return caller instanceof Promise ? caller.then(admit) : admit(caller);
  }

  #challenger(request: IncomingMessage, scope: string | undefined): MakeChallenge {
    return (error) => {
      const { http, service } = this.room;
      const realm = `${publicOrigin(request, http)}/auth/token`;
      const challenge = bearerChallenge({ realm, service, ...(scope && { scope }), ...(error && { error }) });
      return new RegistryError('UNAUTHORIZED', { headers: { 'WWW-Authenticate': challenge } });
    };
  }
}

interface Admission {
  readonly demand: Demand;
  readonly match: RouteMatch;
  readonly caller: Caller;
  readonly challenge: MakeChallenge;
  readonly mountFrom: RepositoryName | undefined;
}

/** A private repository, a missing one and a missing right all get the same answer. */
function checkDemand(revocations: Revocations, { demand, match, caller, challenge, mountFrom }: Admission): void {
  if (demand === 'identity') return;
  if (demand === 'catalog') {
    if (!caller.catalog) throw challenge('insufficient_scope');
    return;
  }
  const access = 'name' in match ? caller.repositories.get(match.name) : undefined;
  if (!access?.actions.has(demand)) throw challenge('insufficient_scope');
  const source = mountFrom && caller.repositories.get(mountFrom);
  if (!isCurrent(revocations, access) || (source && !isCurrent(revocations, source))) throw challenge('invalid_token');
}

function isCurrent(revocations: Revocations, { repositoryId, version }: RepositoryAccess): boolean {
  return repositoryId === undefined || revocations.isRepositoryCurrent(repositoryId, version);
}

/** The repository that a mount asks for; one that cannot exist is as good as none, and ends in an upload. */
function mountSourceOf(match: RouteMatch): RepositoryName | undefined {
  if (match.route !== 'uploads' || match.query === '') return undefined;
  const query = parseQuery(match.query);
  const from = query.first('from');
  if (from === undefined || query.first('mount') === undefined) return undefined;
  try {
    return parseRepositoryName(from);
  } catch (error) {
    if (error instanceof RegistryError) return undefined;
    throw error;
  }
}
