import { readFileSync } from 'node:fs';
import { inject } from 'vitest';
import { createAccount, type PasswordAdministration } from '@entrepot/access';
import { administer } from './administer.js';
import { IMAGES } from './contents.js';
import { bob, carol, personOf, pushImage, type Person } from './person.js';
import { PLANTED } from './settings.js';

/** Pushes what the fixture's repositories hold; pushing it again changes nothing. */
export async function fillRepositories(): Promise<void> {
  await pushImage(carol, 'acme/app', '1', IMAGES['acme/app']);
  await pushImage(carol, 'acme/pub', '1', IMAGES['acme/pub']);
  await pushImage(bob, 'globex/secret', '1', IMAGES['globex/secret']);
}

/** Runs administrative operations on the attacked product. */
export function asOperator<T>(work: (administration: PasswordAdministration) => Promise<T>): Promise<T> {
  return administer(inject('product').databaseUrl, work);
}

let made = 0;

/** A user of one test's own, with a namespace of the same name. */
export async function makeUser(prefix: string): Promise<Person> {
  made += 1;
  const name = `${prefix}-${process.pid}-${made}`;
  const password = PLANTED.userPassword;
  await asOperator((administration) => createAccount(administration, { name, password, isAdmin: false }));
  return personOf(name);
}

/** Everything that the product has written so far. */
export function readOutput(): string {
  return readFileSync(inject('product').outputPath, 'utf8');
}
