import { randomBytes } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Client } from 'minio';
import { connectS3, isS3ServerSkipped, newTestBucket, S3_SERVERS, type S3Bucket } from './test-bucket.js';

const PART_BYTES = 5 * 2 ** 20;

describe.each(S3_SERVERS)('%s', (kind) => {
  describe.skipIf(isS3ServerSkipped(kind))('as specs see it', () => {
    let place: S3Bucket;
    let client: Client;
    beforeAll(async () => {
      place = await newTestBucket(kind);
      client = connectS3(place);
    });

    async function uploadParts(name: string, parts: readonly Buffer[]): Promise<string> {
      const uploadID = await client.initiateNewMultipartUpload(place.bucket, name, {});
      for (const [index, bytes] of parts.entries()) {
        const part = { bucketName: place.bucket, objectName: name, uploadID, partNumber: index + 1, headers: {} };
        await client.uploadPart(part, bytes);
      }
      return uploadID;
    }

    it('joins parts, lists them before, and reads ranges across them', async () => {
      const parts = [randomBytes(PART_BYTES), randomBytes(PART_BYTES), randomBytes(7)];
      const uploadId = await uploadParts('a/joined', parts);
      const listed = await client['listParts'](place.bucket, 'a/joined', uploadId);
      expect(listed.map(({ part, size }) => [part, size])).toEqual([
        [1, PART_BYTES],
        [2, PART_BYTES],
        [3, 7],
      ]);
      await client.completeMultipartUpload(place.bucket, 'a/joined', uploadId, listed);
      const range = await buffer(await client.getPartialObject(place.bucket, 'a/joined', PART_BYTES - 2, 4));
      expect(range).toEqual(Buffer.concat(parts).subarray(PART_BYTES - 2, PART_BYTES + 2));
    });

    it('copies a range of an object into a part', async () => {
      const bytes = randomBytes(PART_BYTES);
      await client.putObject(place.bucket, 'source', bytes);
      const uploadID = await client.initiateNewMultipartUpload(place.bucket, 'copied', {});
      const headers = {
        'x-amz-copy-source': `/${place.bucket}/source`,
        'x-amz-copy-source-range': 'bytes=3-9',
      };
      const part = { bucketName: place.bucket, objectName: 'copied', uploadID, partNumber: 1, headers };
      const copied = await client.uploadPart(part);
      await client.completeMultipartUpload(place.bucket, 'copied', uploadID, [{ part: 1, etag: copied.etag }]);
      expect(await buffer(await client.getObject(place.bucket, 'copied'))).toEqual(bytes.subarray(3, 10));
    });

    it('forgets an upload that is aborted', async () => {
      const uploadId = await uploadParts('aborted', [randomBytes(7)]);
      await client.abortMultipartUpload(place.bucket, 'aborted', uploadId);
      await expect(client['listParts'](place.bucket, 'aborted', uploadId)).rejects.toMatchObject({
        code: 'NoSuchUpload',
      });
    });

    it('refuses another secret and a tampered signature', async () => {
      await client.putObject(place.bucket, 'secret', Buffer.from('x'));
      const stranger = connectS3({ ...place, secretKey: 'another' });
      await expect(stranger.statObject(place.bucket, 'secret')).rejects.toMatchObject({ code: 'AccessDenied' });
      const url = await client.presignedGetObject(place.bucket, 'secret', 60);
      expect((await fetch(url)).status).toBe(200);
      expect((await fetch(url.replace(/.{4}$/, '0000'))).status).toBe(403);
    });

    it('has nothing in a new bucket', async () => {
      const { bucket } = await newTestBucket(kind);
      expect(bucket).not.toBe(place.bucket);
      expect(await client.listObjectsV2(bucket, '', true).toArray()).toEqual([]);
    });
  });
});
