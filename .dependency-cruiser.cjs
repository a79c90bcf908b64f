// Dependency rules at lint time, made of the table that the specs in test/architecture read too: test/architecture/arrows.json.
const arrows = require('./test/architecture/arrows.json');

const TEST_FILES = '\\.(spec|suite)\\.ts$|^libs/testkit/|^test/';

/** A room as imports name it: its link in node_modules, or its bare name where it is not built yet. */
function roomPattern(room) {
  return `(^|/)@entrepot/${room.replace(/^(libs|apps)\//, '')}($|/)`;
}

function packagePattern(name) {
  return `(^|/)node_modules/(@types/)?${name}/|^${name}($|/)`;
}

function rule(name, comment, { from, to }) {
  return { name, comment, severity: 'error', from, to };
}

/** One room's rules: the rooms and packages it may import, the files that alone import some of them, and Node. */
function roomRules([room, { node, rooms, packages }]) {
  const from = { path: `^${room}/`, pathNot: TEST_FILES };
  // Files of the workspace and the testkit have rules of their own, below.
  const elsewhere = ['^(apps|libs|test)/', roomPattern('libs/testkit')];
  const allowed = [...elsewhere, ...rooms.map(roomPattern), ...Object.keys(packages).map(packagePattern)];
  const placed = Object.entries(packages).filter(([, files]) => files !== 'everywhere');
  return [
    rule(`arrow ${room}`, `Not among the arrows of ${room} in test/architecture/arrows.json.`, {
      from,
      to: { dependencyTypesNot: ['core'], pathNot: allowed.join('|') },
    }),
    ...(node ? [] : [rule(`node ${room}`, `${room} may not know Node.`, { from, to: { dependencyTypes: ['core'] } })]),
    ...placed.map(([name, files]) =>
      rule(`package ${room} ${name}`, `In ${room} only ${files.join(' and ')} may import ${name}.`, {
        from: { ...from, pathNot: `${TEST_FILES}|^${room}/(${files.join('|')})$` },
        to: { path: packagePattern(name) },
      }),
    ),
  ];
}

module.exports = {
  forbidden: [
    ...Object.entries(arrows).flatMap(roomRules),
    rule('test-code', 'Production imports no spec, no suite, no testkit.', {
      from: { path: '^(apps|libs)/', pathNot: TEST_FILES },
      to: { path: `\\.(spec|suite)(\\.[jt]s)?$|${roomPattern('libs/testkit')}|^test/` },
    }),
    rule('relative', 'A relative path stays in its room.', {
      from: { path: '^((?:apps|libs)/[^/]+)/', pathNot: TEST_FILES },
      to: { path: '^(apps|libs|test)/', pathNot: '^$1/' },
    }),
    rule('cycle', 'Files that import each other are one file, or need a third.', { from: {}, to: { circular: true } }),
    rule('unlisted-room', 'Every room has an entry in test/architecture/arrows.json.', {
      from: { path: '^(apps|libs)/', pathNot: [...Object.keys(arrows).map((room) => `^${room}/`), TEST_FILES] },
      to: {},
    }),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^test/architecture/fixtures/|^(apps|libs|test)/[^/]+/dist/' },
    // Rooms are told apart by their links in node_modules/@entrepot.
    preserveSymlinks: true,
    // Types are dependencies too: a room that needs another's types cannot be compiled without it.
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['types', 'import', 'node', 'default'] },
  },
};
