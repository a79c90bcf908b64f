import { summarizeHealth, type DependencyHealth, type Health } from '../http/health.js';

/** Health of a service by what its workers say: a dependency is well if it is to all of them. */
export function joinHealth(healths: readonly Health[], own: DependencyHealth): Health {
  const joined = new Map<string, DependencyHealth>();
  for (const dependency of healths.flatMap(({ dependencies }) => dependencies)) {
    const other = joined.get(dependency.name);
    joined.set(dependency.name, other === undefined ? dependency : joinDependency(other, dependency));
  }
  return summarizeHealth([...joined.values(), own]);
}

function joinDependency(one: DependencyHealth, other: DependencyHealth): DependencyHealth {
  const latencyMs = Math.max(one.latencyMs, other.latencyMs);
  return { ...(one.ok ? other : one), latencyMs };
}
