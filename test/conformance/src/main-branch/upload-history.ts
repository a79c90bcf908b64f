/** A way to push a blob; the name of the assertion that it is. */
export type UploadWay = 'blob-post-put' | 'blob-post-only' | 'blob-patch-stream' | 'blob-patch-chunked';

/** What became of one way so far. */
export interface Experience {
  readonly algorithms: Set<string>;
  hasPassed: boolean;
  hasFailed: boolean;
}

/** What became of each way to push so far. */
export type UploadHistory = Map<UploadWay, Experience>;
