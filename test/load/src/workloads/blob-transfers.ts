import { createConnection } from '../client/connection.js';
import { expectStatus } from '../client/expect-status.js';
import { locationOf, startUpload, withDigest } from '../client/push-image.js';
import { curlDownload, curlUpload } from '../machine/curl.js';
import { settleDisk } from '../machine/file-system.js';
import { processorMs } from '../machine/process-tree.js';
import { BLOB_BYTES, type BlobFile } from './sample-files.js';
import type { Lab, Subject, Workload } from './workload.js';

const REPOSITORY = 'admin/bench-blobs';
const MIB = 1024 * 1024;
const BLOB_MIB = BLOB_BYTES / MIB;
const DOWNLOADS_PER_CURL = 3;
const COSTED_DOWNLOADS = 8;

/** 256 MiB down, alone and eight at once, and up, in one body of known length and as a stream. */
export function blobTransfers(): readonly Workload[] {
  const uploads = new Map<string, number>();
  const upload = (name: string, title: string, how: Uploading): Workload => ({
    name,
    title,
    unit: 'MiB/s',
    goal: { over: 'every peer', atLeast: 1.2 },
    atMostRepetitions: 3,
    measure: async (subject, lab) => {
      const count = uploads.get(subject.contender.name) ?? 0;
      uploads.set(subject.contender.name, count + 1);
      const fresh = lab.samples.freshBlob(count);
      await settleDisk(lab.directory);
      return BLOB_MIB / (await how(subject, fresh));
    },
  });
  return [
    download('blob-get', 'blob GET 256 MiB', 1),
    download('blob-get-8', 'blob GET 256 MiB, 8 at once', 8),
    downloadCost(),
    upload('blob-put', 'blob PUT 256 MiB, monolithic', putWhole),
    upload('blob-put-stream', 'blob PUT 256 MiB, streamed', putStreamed),
  ];
}

function download(name: string, title: string, parallel: number): Workload {
  return {
    name,
    title,
    unit: 'MiB/s',
    isForFileServers: true,
    goal: { over: 'nginx', atLeast: 0.95 },
    prepare: placeSample,
    measure: async ({ instance }, { samples }) => {
      const url = instance.origin + instance.blobPath(REPOSITORY, samples.blob.digest);
      const token = await instance.token(REPOSITORY, 'pull');
      const started = performance.now();
      const one = () => curlDownload(url, token, DOWNLOADS_PER_CURL);
      const timesS = await Promise.all(Array.from({ length: parallel }, one));
      const elapsedS = parallel === 1 ? sum(timesS.flat()) : (performance.now() - started) / 1000;
      return (parallel * DOWNLOADS_PER_CURL * BLOB_MIB) / elapsedS;
    },
  };
}

/** What a download costs the server: unlike its speed, not bounded by what the one client can take in. */
function downloadCost(): Workload {
  return {
    name: 'blob-get-cost',
    title: 'blob GET 256 MiB, processor time',
    unit: 'ms/GiB',
    isForFileServers: true,
    prepare: placeSample,
    measure: async ({ instance }, { samples }) => {
      const url = instance.origin + instance.blobPath(REPOSITORY, samples.blob.digest);
      const token = await instance.token(REPOSITORY, 'pull');
      const before = processorMs(instance.process.pids());
      await curlDownload(url, token, COSTED_DOWNLOADS);
      return (processorMs(instance.process.pids()) - before) / ((COSTED_DOWNLOADS * BLOB_MIB) / 1024);
    },
  };
}

/** Uploads the blob for reads where it is not there yet. */
async function placeSample({ instance, contender }: Subject, { samples }: Lab): Promise<void> {
  const { file, digest } = samples.blob;
  const connection = createConnection(instance.origin);
  const token = await instance.token(REPOSITORY, 'pull,push');
  const path = instance.blobPath(REPOSITORY, digest);
  const headers = token === '' ? {} : { Authorization: `Bearer ${token}` };
  const found = await connection.exchange({ method: 'HEAD', path, headers });
  connection.close();
  if (found.status === 200) return;
  if (instance.placeBlob) await instance.placeBlob(file, digest);
  else await putWhole({ instance, contender }, samples.blob);
}

/** Uploads a blob and gives the seconds from the first byte of its body to the answer that it is stored. */
type Uploading = (subject: Subject, blob: BlobFile) => Promise<number>;

async function putWhole({ instance }: Subject, { file, digest }: BlobFile): Promise<number> {
  const connection = createConnection(instance.origin);
  const token = await instance.token(REPOSITORY, 'pull,push');
  const location = await startUpload(connection, { repository: REPOSITORY, token });
  connection.close();
  const url = instance.origin + withDigest(location, digest);
  const answer = await curlUpload({ method: 'PUT', url, token, file, isChunked: false });
  if (answer.status !== 201) throw new Error(`PUT of a large blob was answered ${answer.status}`);
  return answer.seconds;
}

async function putStreamed({ instance }: Subject, { file, digest }: BlobFile): Promise<number> {
  const connection = createConnection(instance.origin);
  const token = await instance.token(REPOSITORY, 'pull,push');
  const location = await startUpload(connection, { repository: REPOSITORY, token });
  const url = instance.origin + location;
  const patched = await curlUpload({ method: 'PATCH', url, token, file, isChunked: true });
  if (patched.status !== 202) throw new Error(`PATCH of a large blob was answered ${patched.status}`);
  const started = performance.now();
  const path = withDigest(locationOf(new Map([['location', patched.location]])), digest);
  const headers = { Authorization: `Bearer ${token}` };
  expectStatus(await connection.exchange({ method: 'PUT', path, headers }), [201], 'PUT that ends a large upload');
  connection.close();
  return patched.seconds + (performance.now() - started) / 1000;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
