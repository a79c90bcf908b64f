import type { EntityManager, EntityTarget, ObjectLiteral, QueryDeepPartialEntity } from 'typeorm';

/** Inserts the row; false, and nothing done, where a row with one of its keys exists. */
export async function insertUnlessTaken<Row extends ObjectLiteral>(
  manager: EntityManager,
  target: EntityTarget<Row>,
  row: QueryDeepPartialEntity<Row>,
): Promise<boolean> {
  const result = await manager
    .createQueryBuilder()
    .insert()
    .into(target)
    .values(row)
    .orIgnore()
    .returning('*')
    .execute();
  return Array.isArray(result.raw) && result.raw.length > 0;
}
