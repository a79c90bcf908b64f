/** When manifests were pulled, appended so that no two pulls meet at a row. */
export interface ManifestUses {
  /**
   * Notes that the manifests were used now. Resolves with the shortest time, in milliseconds, for which a namespace keeps its
   * untagged manifests by a rule of its own; undefined where none has one.
   */
  mark(manifestIds: readonly string[]): Promise<number | undefined>;
}
