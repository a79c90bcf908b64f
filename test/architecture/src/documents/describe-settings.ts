import { SERVICES, serviceSections, standaloneSections, type ServiceName } from '@entrepot/cli';
import { describeConfiguration } from '@entrepot/runtime';

/** `docs/configuration.md`: how settings are given, who reads which section, and every setting. */
export function describeSettings(): string {
  return [...INTRODUCTION, ...describeReaders(), '', describeConfiguration(standaloneSections)].join('\n');
}

/** Which section is read by `entrepot start` and by which `entrepot serve`. */
function describeReaders(): string[] {
  const services = Object.keys(SERVICES) as ServiceName[];
  const columns = ['Section', '`start`', ...services.map((name) => `\`serve ${name}\``)];
  const rows = standaloneSections.map(({ name }) => {
    const isRead = (service: ServiceName) => serviceSections(service).some((section) => section.name === name);
    return [`[${name}](#${name})`, 'yes', ...services.map((service) => (isRead(service) ? 'yes' : ''))];
  });
  return [columns, columns.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
}

const INTRODUCTION = [
  '# Configuration',
  '',
  '<!-- Written by `npm run generate` from the sections that the rooms export; change their schemas instead. -->',
  '',
  'Every setting has one name in two spellings: the environment variable `ENTREPOT_<SECTION>_<KEY>`, and the key of a YAML',
  'file that `ENTREPOT_CONFIG_FILE` names. `ENTREPOT_HTTP_PUBLIC_URL=https://registry.example.com` is in the file',
  '',
  '```yaml',
  'http:',
  '  publicUrl: https://registry.example.com',
  '```',
  '',
  'The environment wins over the file, and the file over the default. `<VARIABLE>_FILE` names a file that holds the value,',
  'such as a mounted secret; its last line break does not count. A key that does not exist stops the start, and the message',
  'names the nearest one that does. Durations are written `250ms`, `15s`, `5m`, `2h`, `7d`; sizes `512B`, `64KiB`, `4MiB`, `1GiB`.',
  '`entrepot config show` prints what is in effect, secrets masked.',
  '',
  'A secret is never made up where others would have to know it: a service that lacks one does not start. A standalone',
  'Entrepot (`entrepot start`) has nobody to share with: it generates `ENTREPOT_HTTP_SECRET` and `ENTREPOT_SECRETS_KEY` once,',
  'below `secrets/` in its data directory, readable by its user only. `ENTREPOT_NODE` names the Node.js that runs Entrepot.',
  '',
  'Who reads what:',
  '',
];
