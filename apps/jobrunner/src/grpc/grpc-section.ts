import { durationMs, port, section } from '@entrepot/runtime';
import { z } from 'zod';

/** Control of jobs by other services: gRPC over mutual TLS, off unless a port is given. */
export const grpcSection = section(
  'grpc',
  z
    .object({
      host: z.string().trim().min(1).prefault('127.0.0.1').meta({
        description: 'Address that the jobrunner listens on for other services.',
      }),
      port: port().optional().meta({
        description:
          'Port of the gRPC service by which other services control jobs. Unset: it is off. Clients need a certificate.',
      }),
      certificate: z.string().min(1).optional().meta({
        description: 'PEM file with the certificate chain of the gRPC service. Read again when it changes.',
      }),
      key: z.string().min(1).optional().meta({ description: 'PEM file with the private key of the certificate.' }),
      clientCa: z.string().min(1).optional().meta({
        description:
          'PEM file with the authorities that sign the certificates of clients; any other client is refused.',
      }),
      reload: durationMs()
        .refine((ms) => ms >= 100, 'must be at least 100ms')
        .prefault('10s')
        .meta({ description: 'How often the files are looked at for changes.' }),
    })
    .refine(
      ({ port, certificate, key, clientCa }) =>
        port === undefined || (certificate !== undefined && key !== undefined && clientCa !== undefined),
      {
        path: ['port'],
        message:
          'needs ENTREPOT_GRPC_CERTIFICATE, ENTREPOT_GRPC_KEY and ENTREPOT_GRPC_CLIENT_CA: clients are not served without a certificate',
      },
    ),
);
