import type { TeamRecord, Teams } from '@entrepot/access';
import type { EntityManager } from 'typeorm';
import { TeamMemberRow, TeamRow } from './access-rows.js';
import { insertUnlessTaken } from './insert-unless-taken.js';

export class PostgresTeams implements Teams {
  constructor(private readonly manager: EntityManager) {}

  async find(namespaceId: string, name: string): Promise<TeamRecord | undefined> {
    const row = await this.manager.findOneBy(TeamRow, { namespaceId, name });
    return row ? { id: row.id, namespaceId, name } : undefined;
  }

  insert(team: TeamRecord): Promise<boolean> {
    return insertUnlessTaken(this.manager, TeamRow, team);
  }

  async addMember(teamId: string, accountId: string): Promise<void> {
    await insertUnlessTaken(this.manager, TeamMemberRow, { teamId, accountId });
  }

  async removeMember(teamId: string, accountId: string): Promise<boolean> {
    const { affected } = await this.manager.delete(TeamMemberRow, { teamId, accountId });
    return (affected ?? 0) > 0;
  }

  async removeFromAll(namespaceId: string, accountId: string): Promise<void> {
    await this.manager.query(
      `DELETE FROM team_member m USING team t WHERE m.team_id = t.id AND t.namespace_id = $1 AND m.account_id = $2`,
      [namespaceId, accountId],
    );
  }

  /** The lock on the team's row holds off new members: their foreign key wants a share of it. */
  async lockMembers(teamId: string): Promise<string[]> {
    await this.manager.query('SELECT FROM team WHERE id = $1 FOR UPDATE', [teamId]);
    const rows = await this.manager.findBy(TeamMemberRow, { teamId });
    return rows.map((row) => row.accountId);
  }
}
