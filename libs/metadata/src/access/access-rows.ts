import { Column, Entity, PrimaryColumn } from 'typeorm';

/*
 * Row shapes of 0001_access.sql: no relations, no cascades, every type spelled out. They never leave this room.
 * Columns with defaults that only statements change (versions, times) are read and never written through these.
 */

@Entity('namespace')
export class NamespaceRow {
  @PrimaryColumn({ type: 'uuid' })
  id!: string;

  @Column({ type: 'text' })
  name!: string;

  @Column({ type: 'text' })
  kind!: 'user' | 'organisation';

  @Column({ type: 'text', name: 'default_visibility' })
  defaultVisibility!: 'public' | 'private';

  @Column({ type: 'timestamptz', name: 'created_at', insert: false, update: false })
  createdAt!: Date;
}

@Entity('account')
export class AccountRow {
  @PrimaryColumn({ type: 'uuid' })
  id!: string;

  @Column({ type: 'text', name: 'password_hash', nullable: true })
  passwordHash!: string | null;

  @Column({ type: 'boolean', name: 'is_admin' })
  isAdmin!: boolean;

  @Column({ type: 'boolean', name: 'is_disabled' })
  isDisabled!: boolean;

  @Column({ type: 'timestamptz', name: 'created_at', insert: false, update: false })
  createdAt!: Date;
}

@Entity('organisation_member')
export class OrganisationMemberRow {
  @PrimaryColumn({ type: 'uuid', name: 'namespace_id' })
  namespaceId!: string;

  @PrimaryColumn({ type: 'uuid', name: 'account_id' })
  accountId!: string;

  @Column({ type: 'text' })
  role!: 'owner' | 'member';
}

@Entity('team')
export class TeamRow {
  @PrimaryColumn({ type: 'uuid' })
  id!: string;

  @Column({ type: 'uuid', name: 'namespace_id' })
  namespaceId!: string;

  @Column({ type: 'text' })
  name!: string;

  @Column({ type: 'timestamptz', name: 'created_at', insert: false, update: false })
  createdAt!: Date;
}

@Entity('team_member')
export class TeamMemberRow {
  @PrimaryColumn({ type: 'uuid', name: 'team_id' })
  teamId!: string;

  @PrimaryColumn({ type: 'uuid', name: 'account_id' })
  accountId!: string;
}

@Entity('repository')
export class RepositoryRow {
  @PrimaryColumn({ type: 'uuid' })
  id!: string;

  @Column({ type: 'uuid', name: 'namespace_id' })
  namespaceId!: string;

  @Column({ type: 'text' })
  name!: string;

  @Column({ type: 'text' })
  visibility!: 'public' | 'private';

  @Column({ type: 'uuid', name: 'created_by', nullable: true })
  createdBy!: string | null;

  @Column({ type: 'timestamptz', name: 'created_at', insert: false, update: false })
  createdAt!: Date;
}

@Entity('access_grant')
export class AccessGrantRow {
  @PrimaryColumn({ type: 'uuid' })
  id!: string;

  @Column({ type: 'uuid', name: 'repository_id', nullable: true })
  repositoryId!: string | null;

  @Column({ type: 'uuid', name: 'namespace_id', nullable: true })
  namespaceId!: string | null;

  @Column({ type: 'uuid', name: 'team_id', nullable: true })
  teamId!: string | null;

  @Column({ type: 'uuid', name: 'account_id', nullable: true })
  accountId!: string | null;

  @Column({ type: 'text' })
  role!: 'read' | 'write' | 'admin';
}

export const ACCESS_ROWS = [
  NamespaceRow,
  AccountRow,
  OrganisationMemberRow,
  TeamRow,
  TeamMemberRow,
  RepositoryRow,
  AccessGrantRow,
] as const;
