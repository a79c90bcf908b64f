import type { MethodOf, RouteName } from '@entrepot/oci';
import { getBlob, removeBlob } from './blobs.js';
import type { Call, RegistryRoom } from './call.js';
import { getBase, getCatalog, getReferrers, getTags } from './listings.js';
import { getManifest, removeManifest, storeManifest } from './manifests.js';
import { deleteUpload, getUpload, patchUpload, postUpload, putUpload } from './uploads.js';

type Handler<R extends RouteName> = (room: RegistryRoom, call: Call<R>) => Promise<void>;

/** What answers each route and method of the distribution API. */
const HANDLERS: { readonly [R in RouteName]: Readonly<Record<MethodOf<R>, Handler<R>>> } = {
  base: { GET: getBase, HEAD: getBase },
  catalog: { GET: getCatalog, HEAD: getCatalog },
  tags: { GET: getTags, HEAD: getTags },
  referrers: { GET: getReferrers, HEAD: getReferrers },
  manifest: { GET: getManifest, HEAD: getManifest, PUT: storeManifest, DELETE: removeManifest },
  blob: { GET: getBlob, HEAD: getBlob, DELETE: removeBlob },
  uploads: { POST: postUpload },
  upload: { GET: getUpload, HEAD: getUpload, PATCH: patchUpload, PUT: putUpload, DELETE: deleteUpload },
};

/** Answers a call that the guard let in. */
export function handleCall(room: RegistryRoom, call: Call): Promise<void> {
  const { route, method } = call.match;
  // The table above pairs each route with handlers of its own calls; the compiler cannot follow that through an index.
  const methods = HANDLERS[route] as Readonly<Record<string, Handler<RouteName>>>;
  const handler = methods[method];
  if (!handler) throw new Error(`no handler for ${method} ${route}`);
  return handler(room, call);
}
