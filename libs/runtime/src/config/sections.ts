import { isIP } from 'node:net';
import { availableParallelism } from 'node:os';
import { z } from 'zod';
import { parseNetworks } from './networks.js';
import { section } from './section.js';
import type { SectionValues } from './section.js';
import { byteSize, durationMs, port, secretRing, textList, wholeNumber } from './values.js';

/** Each worker has its own connections to Postgres, which has a hundred in all by default. */
const MAX_AUTO_WORKERS = 8;

/** The main port and its limits; every service mounts on it. */
export const httpSection = section(
  'http',
  z
    .object({
      host: z.string().trim().min(1).prefault('127.0.0.1').meta({
        description: 'Address that the main port listens on. Beyond loopback it needs `ENTREPOT_HTTP_PUBLIC_URL`.',
      }),
      port: port().prefault('5000').meta({ description: 'The main port; 0 takes any free one.' }),
      publicUrl: publicUrl().optional().meta({
        description:
          'What clients reach the registry by, such as `https://registry.example.com`: the realm of the challenge and every absolute URL are made of it. Unset: the loopback name and port that the request used.',
      }),
      secret: secretRing().meta({
        description:
          'Signs upload state; shared by all replicas. Comma-separated: the first signs, all verify. Each at least 32 characters.',
      }),
      tlsCertificate: z.string().min(1).optional().meta({
        description:
          'PEM file with the certificate chain; turns the main port to TLS. Reloaded when it changes, and on SIGHUP.',
      }),
      tlsKey: z.string().min(1).optional().meta({ description: 'PEM file with the private key of the certificate.' }),
      trustedProxies: textList()
        .refine((entries) => parseNetworks(entries) !== undefined, 'must be addresses or networks such as 10.0.0.0/8')
        .prefault('')
        .meta({
          description: 'Addresses or networks (`10.0.0.0/8,fd00::/8`) of proxies whose `X-Forwarded-For` is believed.',
        }),
      idleTimeout: durationMs().prefault('60s').meta({
        description:
          'A connection in the middle of a request is cut when no byte moved in either direction for so long; `0s` never.',
      }),
      headerTimeout: durationMs()
        .prefault('20s')
        .meta({ description: 'Time a client has to send the headers of a request.' }),
      keepAliveTimeout: durationMs().prefault('75s').meta({
        description: 'How long an unused connection stays open; keep it above the value of a proxy in front.',
      }),
      maxConnections: wholeNumber({ min: 1, max: 1_000_000 }).prefault('10000').meta({
        description: 'Connections at the same time; further ones are closed at once.',
      }),
      maxHeaderBytes: byteSize()
        .prefault('32KiB')
        .meta({ description: 'Size of the headers of one request, its URL included.' }),
      drainDelay: durationMs().prefault('0s').meta({
        description:
          'On shutdown, how long requests are still accepted after `/readyz` turned no, so that balancers notice.',
      }),
      drainTimeout: durationMs().prefault('30s').meta({
        description: 'On shutdown, how long running requests may take before their connections are cut.',
      }),
      workers: workerCount().prefault('auto').meta({
        description:
          'Processes of `entrepot serve registry` that share the main port, each with database connections of its own. `auto`: one for each core, at most 8; `1`: no further process. The other services, and `entrepot start`, are one process.',
      }),
      accessLog: z.enum(['off', 'combined']).prefault('off').meta({
        description: 'One line per request to standard output, in the combined format.',
      }),
    })
    .refine((http) => http.publicUrl !== undefined || isLoopbackHost(http.host), {
      path: ['publicUrl'],
      message: 'required when ENTREPOT_HTTP_HOST is not a loopback address: clients must be told a name they can reach',
    })
    .refine((http) => (http.tlsCertificate === undefined) === (http.tlsKey === undefined), {
      path: ['tlsKey'],
      message: 'ENTREPOT_HTTP_TLS_CERTIFICATE and ENTREPOT_HTTP_TLS_KEY are given together or not at all',
    }),
);

/** The operations port: `/metrics` and `/health`, for the operator's network only. */
export const opsSection = section(
  'ops',
  z.object({
    host: z
      .string()
      .trim()
      .min(1)
      .prefault('127.0.0.1')
      .meta({ description: 'Address that the operations port listens on.' }),
    port: port().prefault('5001').meta({ description: 'Port of `/metrics` and `/health`; 0 turns it off.' }),
  }),
);

export const logSection = section(
  'log',
  z.object({
    level: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).prefault('info').meta({
      description: 'Least level that is written.',
    }),
    format: z.enum(['json', 'pretty']).prefault('json').meta({
      description: '`json`: one object per line; `pretty`: one readable line, for a terminal.',
    }),
  }),
);

/** Seals what Postgres keeps secret, such as token signing keys. */
export const secretsSection = section(
  'secrets',
  z.object({
    key: secretRing().meta({
      description:
        'Seals what Postgres keeps secret, such as signing keys. Comma-separated: the first seals, all open. Each at least 32 characters.',
    }),
  }),
);

export type HttpConfig = SectionValues<typeof httpSection>;
export type OpsConfig = SectionValues<typeof opsSection>;
export type LogConfig = SectionValues<typeof logSection>;

/** `localhost`, 127.0.0.0/8 or `::1`. */
export function isLoopbackHost(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

function workerCount() {
  return z
    .string()
    .regex(/^(auto|\d{1,3})$/, 'must be auto or a whole number')
    .transform((text) => (text === 'auto' ? Math.min(availableParallelism(), MAX_AUTO_WORKERS) : Number(text)))
    .pipe(z.number().int().min(1).max(128));
}

/** An origin: http or https, a host, perhaps a port, and nothing else. */
function publicUrl() {
  return z.string().transform((text, context): string => {
    const url = URL.parse(text.trim());
    const isOrigin = url !== null && /^https?:$/.test(url.protocol) && url.pathname === '/' && !/[?#@]/.test(text);
    if (isOrigin) return url.origin;
    context.addIssue({ code: 'custom', message: 'must be http(s)://HOST[:PORT] and nothing behind it' });
    return z.NEVER;
  });
}
