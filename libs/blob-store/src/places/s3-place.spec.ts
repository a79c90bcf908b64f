import { S3_SERVERS, isS3ServerSkipped, withTestBucket } from '@entrepot/testkit/test-bucket';
import { describe, expect, it } from 'vitest';
import { storageConfig } from '../config.js';
import { checkPlace } from './check-place.js';
import { findPlaces, openPlace } from './open-places.js';

const LINK = { expirySeconds: 60, contentType: 'application/octet-stream', contentDisposition: 'attachment' };

describe.each(S3_SERVERS.filter((kind) => !isS3ServerSkipped(kind)))('a bucket on %s', (kind) => {
  const place = withTestBucket(kind);
  const settings = () => {
    const { endpoint, bucket, region, accessKey, secretKey } = place.current;
    return { driver: 's3', endpoint, bucket, region, accessKey, secretKey, prefix: 'blobs' };
  };

  it('does everything that a registry needs of it', async () => {
    const steps: Record<string, string> = {};
    const opened = await openPlace('s3', storageConfig.parse(settings()), '/nowhere');
    for await (const { step, outcome, note } of checkPlace(opened)) steps[step] = outcome === 'ok' ? outcome : note;
    expect(steps).toEqual({ write: 'ok', read: 'ok', range: 'ok', multipart: 'ok', presign: 'ok', delete: 'ok' });
  });

  it('is another one by another secret, and says so', async () => {
    const wrong = storageConfig.parse({ ...settings(), secretKey: 'wrong-wrong-wrong-wrong' });
    await expect(openPlace('s3', wrong, '/nowhere')).rejects.toThrow(/ENTREPOT_STORAGE_SECRET_KEY/);
    // What is only found is not asked for anything.
    expect((await findPlaces(wrong, '/nowhere')).map(({ name }) => name)).toEqual(['s3']);
  });

  it('has links by the name that clients know', async () => {
    const config = storageConfig.parse({ ...settings(), publicEndpoint: 'https://blobs.example.com' });
    const [found] = await findPlaces(config, '/nowhere');
    const key = `s3-${'0'.repeat(32)}-${'1'.repeat(16)}` as Parameters<NonNullable<typeof found>['store']['size']>[0];
    const link = new URL((await found?.sign?.(key, LINK)) ?? '');
    expect(link.origin).toBe('https://blobs.example.com');
    expect(link.searchParams.get('response-content-disposition')).toBe('attachment');
  });
});
