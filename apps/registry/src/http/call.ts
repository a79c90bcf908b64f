import type { IncomingMessage, ServerResponse } from 'node:http';
import type { GrantedAccess } from '@entrepot/access';
import type {
  Actor,
  ContentReader,
  ManifestRules,
  PushRoom,
  Repositories,
  StateSigner,
  UnitOfWork,
  UseMarks,
} from '@entrepot/content';
import type { RegistryError, RepositoryName, RouteMatch, RouteName } from '@entrepot/oci';
import type { Delivery } from './deliver-blob.js';

/** What the handlers work with. */
export interface RegistryRoom {
  readonly reader: ContentReader;
  readonly repositories: Repositories;
  readonly uses: Pick<UseMarks, 'note'>;
  readonly work: UnitOfWork;
  readonly delivery: Delivery;
  readonly push: PushRoom;
  readonly rules: ManifestRules & { readonly maxManifestBytes: number; readonly maxTagsPerPush: number };
  readonly signer: StateSigner;
}

/** Who asks: the holder of a verified token, or of credentials sent directly. */
export interface Caller extends GrantedAccess {
  /** Undefined for anonymous. */
  readonly accountId: string | undefined;
  readonly accountName: string;
}

/** A request to one of the routes `R` that the guard let in. */
export type Call<R extends RouteName = RouteName> = MatchedCall<Extract<RouteMatch, { route: R }>>;

interface MatchedCall<Match extends RouteMatch> {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly match: Match;
  readonly caller: Caller;
  /** The repository that a mount names. */
  readonly mountFrom: RepositoryName | undefined;
  /** 401 with the challenge of this request. */
  challenge(error?: 'invalid_token' | 'insufficient_scope'): RegistryError;
}

const CALL = Symbol('call');

type CarryingRequest = IncomingMessage & { [CALL]?: Call };

export function attachCall(call: Call): void {
  (call.request as CarryingRequest)[CALL] = call;
}

/** The call that the guard attached. Without one nothing is answered: it denies by default. */
export function callOf(request: IncomingMessage): Call {
  const call = (request as CarryingRequest)[CALL];
  if (!call) throw new Error('a request reached its handler without passing the guard');
  return call;
}

/** The caller as the rows that remember know it. Only accounts can write. */
export function actorOf({ caller, challenge }: Call): Actor & { readonly id: string } {
  if (caller.accountId === undefined) throw challenge('insufficient_scope');
  return { id: caller.accountId, name: caller.accountName };
}
