// Adds the optional platform packages that a registry view left out to package-lock.json.
// `npm install` silently drops an optional dependency that it cannot see, and `npm ci` then refuses the lock.
// An entry without `integrity` is inert on other platforms, and resolved by its version on its own.
import { readFileSync, writeFileSync } from 'node:fs';

const lock = JSON.parse(readFileSync('package-lock.json', 'utf8'));
const packages = lock.packages;

/** Finds `name` as Node would resolve it from the package at `path`: nearest node_modules first, then upwards. */
function isLocked(path, name) {
  for (let at = path; ; at = at.slice(0, Math.max(0, at.lastIndexOf('node_modules/') - 1))) {
    if (packages[`${at === '' ? '' : `${at}/`}node_modules/${name}`]) return true;
    if (!at.includes('node_modules/')) return packages[`node_modules/${name}`] !== undefined;
  }
}

/** Platform fields read off a package name such as `@nx/nx-linux-arm64-musl`. */
function platformOf(name) {
  const words = name.split(/[/-]/);
  const os = [
    'darwin',
    'linux',
    'win32',
    'freebsd',
    'android',
    'openbsd',
    'netbsd',
    'sunos',
    'aix',
    'openharmony',
  ].find((o) => words.includes(o));
  const cpu = ['x64', 'arm64', 'arm', 'ia32', 'ppc64', 'ppc64le', 's390x', 'riscv64', 'loong64', 'wasm32'].find((c) =>
    words.includes(c),
  );
  const libc = words.includes('musl') ? 'musl' : words.includes('gnu') ? 'glibc' : undefined;
  return { ...(os && { os: [os] }), ...(cpu && { cpu: [cpu] }), ...(libc && { libc: [libc] }) };
}

let added = 0;
for (const [path, entry] of Object.entries(packages)) {
  for (const [name, range] of Object.entries(entry.optionalDependencies ?? {})) {
    if (isLocked(path, name)) continue;
    packages[`node_modules/${name}`] = { version: range.replace(/^[\^~=v]+/, ''), optional: true, ...platformOf(name) };
    added += 1;
  }
}
lock.packages = Object.fromEntries(Object.entries(packages).sort(([a], [b]) => (a < b ? -1 : 1)));
writeFileSync('package-lock.json', `${JSON.stringify(lock, null, 2)}\n`);
console.log(`fill-lock: ${added} platform ${added === 1 ? 'entry' : 'entries'} added`);
