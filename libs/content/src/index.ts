export { contentSection, gcSection, uploadsSection } from './config.js';
export type { ContentConfig, GcConfig, UploadsConfig } from './config.js';
export { BLOB_POINTS, FAIL_POINTS, MANIFEST_POINTS, REMOVAL_POINTS, REVIEW_POINTS } from './faults/fail-points.js';
export type { PortPoint } from './faults/fail-points.js';
export {
  watchPurge,
  watchReviewSteps,
  watchReviews,
  watchStore,
  watchUploads,
  watchWork,
} from './faults/watch-ports.js';
export type { Reached } from './faults/watch-ports.js';
export { findFault, findSizeFault } from './integrity/find-fault.js';
export type { Reading } from './integrity/find-fault.js';
export { scrubBlobs } from './integrity/scrub-blobs.js';
export type { Scrub, ScrubbedBytes, ScrubRoom } from './integrity/scrub-blobs.js';
export { readScrubState } from './integrity/scrub-state.js';
export type { ScrubState, ScrubTally } from './integrity/scrub-state.js';
export { SuspectObjects } from './integrity/suspect-objects.js';
export type { SuspectRoom } from './integrity/suspect-objects.js';
export { checkStore } from './fsck/check-store.js';
export type { StoreFinding, StoreFindingKind, StoreTally } from './fsck/store-finding.js';
export type { StoreRoom } from './fsck/store-room.js';
export { migrateObjects, newTally } from './migration/migrate-objects.js';
export type { Migration, MigrationTally, MoveFailure } from './migration/migrate-objects.js';
export type { MoveRoom } from './migration/move-object.js';
export { createPace } from './pace/create-pace.js';
export { ObjectMissing, ObjectShort, StoreFull, StoreUnavailable } from './ports/blob-store.js';
export type {
  BlobStore,
  ByteRange,
  CompletedObject,
  DurableState,
  ListedObject,
  ObjectKey,
  ObjectRecord,
  ObjectWriter,
  ReadRange,
  WriteFrom,
} from './ports/blob-store.js';
export { RepositoryGone } from './ports/content-reader.js';
export type {
  Actor,
  ContentReader,
  NamePage,
  NewRepository,
  ReadOptions,
  Referrer,
  ReferrersPage,
  ReferrersQuery,
  Repositories,
  Repository,
  StoredBlob,
  StoredManifest,
  Viewer,
} from './ports/content-reader.js';
export type { ManifestUses } from './ports/manifest-uses.js';
export type { BoundRows, FinishedMove, MisplacedBlob, ObjectMoves } from './ports/object-moves.js';
export type { Claim, LedgerBlob, LedgerRange, ObjectLedger } from './ports/object-ledger.js';
export type { AbandonedUpload, Purge } from './ports/purge.js';
export type {
  FinishRebuild,
  FoundObject,
  LostRepository,
  LostTag,
  MissingContent,
  NamedContent,
  RebuildTarget,
  RebuiltManifest,
  RebuiltRows,
  StagedManifest,
} from './ports/rebuild-target.js';
export { isRecoveryName } from './ports/recovery-log.js';
export type { RecoveryLog, RecoveryName } from './ports/recovery-log.js';
export type {
  DrawnRecords,
  GoneRecord,
  ManifestRecord,
  NamespaceRecord,
  RecoveryKind,
  RecoveryLease,
  RecoveryLimits,
  RecoveryPosition,
  RecoveryRecord,
  RecoverySource,
  RepositoryRecord,
  StatePage,
  StateRecord,
  TagRecord,
} from './ports/recovery-source.js';
export type { BlobFault, BlobWalk, Quarantine, WalkPage, WalkedBlob } from './ports/quarantine.js';
export type {
  DeletedBatch,
  DeletionPlace,
  PreviewedRemovals,
  RepositoryBatch,
  ReviewBatch,
  ReviewFailure,
  ReviewPreview,
  Reviews,
  ReviewStep,
  ReviewTerms,
} from './ports/reviews.js';
export type { TagChange, TagHistory, TagHistoryQuery } from './ports/tag-history.js';
export type { KeptManifest, RestoredManifest, TagValue, UndoStatements } from './ports/undo-statements.js';
export { ReferenceGone } from './ports/unit-of-work.js';
export type {
  ChangeRecord,
  ContentTransaction,
  HeldManifest,
  InsertedManifest,
  ManifestReferences,
  NewManifest,
  RemovedTag,
  TagMove,
  UnitOfWork,
} from './ports/unit-of-work.js';
export type {
  Candidate,
  JudgedCandidates,
  JudgedPage,
  SweepCandidates,
  UnknownObject,
} from './ports/sweep-candidates.js';
export type { NamespaceRule, UntaggedRule, UntaggedRules } from './ports/untagged-rules.js';
export type { WalkedStore } from './ports/walked-store.js';
export type {
  FinishedUpload,
  Lease,
  LeaseTerms,
  Mount,
  MountSource,
  NewUpload,
  Upload,
  UploadProgress,
  UploadRef,
  Uploads,
} from './ports/uploads.js';
export { ObjectCorrupt, readVerified } from './pull/read-verified.js';
export type { ExpectedBlob } from './pull/read-verified.js';
export { UseMarks } from './pull/use-marks.js';
export type { Bytes, PushRoom } from './push/push-room.js';
export { appendChunk } from './push/append-chunk.js';
export { cancelUpload } from './push/cancel-upload.js';
export { finishUpload } from './push/finish-upload.js';
export type { FinishUpload } from './push/finish-upload.js';
export { LeaseLost } from './push/held-lease.js';
export { OffsetMismatch } from './push/lease-upload.js';
export type { ChunkPosition } from './push/lease-upload.js';
export { putManifest } from './push/put-manifest.js';
export type { ManifestRules, PutManifest, SparsePolicy } from './push/put-manifest.js';
export { RunningHashes } from './push/running-hash.js';
export { startUpload } from './push/start-upload.js';
export { encodeUploadState, readUploadState } from './push/upload-state.js';
export type { StateSigner } from './push/upload-state.js';
export type { RecoveryRoom } from './recovery/recovery-room.js';
export { relayRecovery } from './recovery/relay-recovery.js';
export type { RelayOutcome } from './recovery/relay-recovery.js';
export { hasLosses, rebuild } from './recovery/rebuild.js';
export type { RebuildReport, RebuildRoom, RebuildStep } from './recovery/rebuild.js';
export type { RefusedManifest } from './recovery/rebuild-manifests.js';
export { endOfLog, isForeignLog, readRecoveryLog } from './recovery/read-recovery-log.js';
export type { LogFault, LogReading } from './recovery/read-recovery-log.js';
export { writeLastMarks } from './recovery/write-last-marks.js';
export { tendRecoveryLog } from './recovery/write-snapshot.js';
export type { TendOutcome } from './recovery/write-snapshot.js';
export { deleteBlob, deleteManifest, deleteTag } from './removal/remove-content.js';
export type { Removal } from './removal/remove-content.js';
export { purgeUploads } from './removal/purge-uploads.js';
export type { UploadPurge, UploadPurgeReport } from './removal/purge-uploads.js';
export { removeDoomedObjects } from './removal/remove-doomed-objects.js';
export type { RemovalReport } from './removal/remove-doomed-objects.js';
export type {
  FoldStep,
  NamedUsage,
  ObjectFigures,
  PendingChanges,
  TotalUsage,
  Usage,
  UsageFigures,
} from './ports/usage.js';
export { foldManifestUses, foldUsage } from './usage/fold-usage.js';
export type { StorePlace } from './sweep/compare-store.js';
export { readSweepState } from './sweep/sweep-state.js';
export type { SweepState, SweepTally } from './sweep/sweep-state.js';
export type { SweepRoom } from './sweep/sweep-store.js';
export { sweepStores } from './sweep/sweep-stores.js';
export { parseUntaggedRule } from './review/parse-untagged-rule.js';
export { newReviewTally, reviewContent } from './review/review-content.js';
export type { ContentReview, ReviewTally } from './review/review-content.js';
export { purgeManifest, purgeTag } from './undo/purge-content.js';
export type { Purged } from './undo/purge-content.js';
export { restoreManifest } from './undo/restore-manifest.js';
export { restoreTag } from './undo/restore-tag.js';
export type { RestoredTag, TagGoal } from './undo/restore-tag.js';
export type { Restored, UndoRoom } from './undo/undo-room.js';
