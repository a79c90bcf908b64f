import type { Entrepot } from '@entrepot/testkit/entrepot';
import type { Account } from '@entrepot/testkit/registry-client';
import type { Target } from '../world/target.js';

interface Health {
  readonly ok: boolean;
  readonly degraded: boolean;
  readonly dependencies: readonly { readonly name: string; readonly ok: boolean }[];
}

/** What the operations port says. */
export async function healthOf({ opsPort }: Entrepot): Promise<{ status: number; body: Health }> {
  const answer = await fetch(`http://127.0.0.1:${opsPort}/health`);
  return { status: answer.status, body: (await answer.json()) as Health };
}

/** Whether a process has its Redis; undefined where it knows of none. */
export async function hasItsRedis(process: Entrepot): Promise<boolean | undefined> {
  const { body } = await healthOf(process);
  return body.dependencies.find(({ name }) => name === 'redis')?.ok;
}

/** Logs in at the issuer; resolves with the status. */
export async function askForToken({ tokenUrl, url }: Target, { name, password }: Account): Promise<number> {
  const login = Buffer.from(`${name}:${password}`).toString('base64');
  const answer = await fetch(`${tokenUrl ?? url}/auth/token?service=entrepot`, {
    headers: { Authorization: `Basic ${login}` },
  });
  await answer.body?.cancel();
  return answer.status;
}

/** Lines of the log that hold `text`. */
export function logLines(process: Entrepot, text: string): string[] {
  return process
    .output()
    .split('\n')
    .filter((line) => line.includes(text));
}
