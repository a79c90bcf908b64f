import type { Role, Visibility } from '../grants/subject.js';
import type { MemberRole } from './administration.js';

/** A page by key: at most `limit` entries strictly after `last`, in bytewise order. */
export interface DirectoryPage {
  readonly last?: string;
  readonly limit: number;
}

export interface AccountEntry {
  readonly name: string;
  readonly isAdmin: boolean;
  readonly isDisabled: boolean;
  readonly createdAt: Date;
}

export interface OrganisationEntry {
  readonly name: string;
  readonly defaultVisibility: Visibility;
  readonly createdAt: Date;
}

export interface MemberEntry {
  readonly name: string;
  readonly role: MemberRole;
}

export interface TeamEntry {
  readonly name: string;
  readonly createdAt: Date;
}

export interface RepositoryEntry {
  readonly name: string;
  readonly visibility: Visibility;
  readonly createdAt: Date;
}

/** A deleted repository that can be restored. */
export interface DeletedRepositoryEntry {
  readonly name: string;
  readonly id: string;
  readonly visibility: Visibility;
  readonly deletedAt: Date;
  readonly deletedBy: string;
  /** The page's key. */
  readonly key: string;
}

/** A grant as people read it. */
export interface GrantEntry {
  readonly role: Role;
  /** `user:alice` or `team:acme/developers`; the page's key. */
  readonly grantee: string;
}

/** Lists for administrators: what exists, whoever asks. */
export interface AccessDirectory {
  accounts(page: DirectoryPage): Promise<AccountEntry[]>;
  organisations(page: DirectoryPage): Promise<OrganisationEntry[]>;
  members(organisation: string, page: DirectoryPage): Promise<MemberEntry[]>;
  teams(organisation: string, page: DirectoryPage): Promise<TeamEntry[]>;
  teamMembers(organisation: string, team: string, page: DirectoryPage): Promise<string[]>;
  repositories(page: DirectoryPage): Promise<RepositoryEntry[]>;
  deletedRepositories(page: DirectoryPage): Promise<DeletedRepositoryEntry[]>;
  /** Grants on exactly this repository (`acme/app`) or namespace (`acme`). */
  grants(resource: string, page: DirectoryPage): Promise<GrantEntry[]>;
}
