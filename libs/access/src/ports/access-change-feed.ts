/** Current access versions by id, of accounts and repositories that lost rights. */
export interface AccessChanges {
  readonly accounts: ReadonlyMap<string, number>;
  readonly repositories: ReadonlyMap<string, number>;
}

export interface AccessChangeFeed {
  /** Everything whose rights were reduced within the window; one round trip. */
  loadAccessChanges(windowMs: number): Promise<AccessChanges>;
}
