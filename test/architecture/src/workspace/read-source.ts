import ts from 'typescript';

/** One module that a source file names, whatever the syntax: import, re-export, `import()`, `import('…').Type`, `require`. */
export interface ModuleUse {
  /** The specifier as written; undefined where it is computed and cannot be read. */
  readonly specifier: string | undefined;
  /** Counted from 1. */
  readonly line: number;
}

/** What the rules need to know of one source file. */
export interface SourceFacts {
  readonly uses: readonly ModuleUse[];
  readonly exportedClasses: readonly string[];
  /** `export * from`, which hides what a module offers. */
  readonly hasStarExport: boolean;
  readonly lineCount: number;
}

/** Reads the syntax tree of a file, so that a comment or a string never counts as an import. */
export function readSource(fileName: string, text: string): SourceFacts {
  const source = ts.createSourceFile(fileName, text, ts.ScriptTarget.Latest);
  const uses: ModuleUse[] = [];
  const exportedClasses: string[] = [];
  let hasStarExport = false;

  function visit(node: ts.Node): void {
    const named = moduleNamedBy(node);
    if (named !== undefined) {
      const line = source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1;
      uses.push({ specifier: ts.isStringLiteralLike(named) ? named.text : undefined, line });
    }
    if (ts.isClassDeclaration(node) && node.name && isExported(node)) exportedClasses.push(node.name.text);
    if (ts.isExportDeclaration(node) && node.moduleSpecifier && !node.exportClause) hasStarExport = true;
    ts.forEachChild(node, visit);
  }

  visit(source);
  return { uses, exportedClasses, hasStarExport, lineCount: text.trimEnd().split('\n').length };
}

/** The expression that names a module, where `node` is a syntax that does. */
function moduleNamedBy(node: ts.Node): ts.Node | undefined {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return node.moduleSpecifier;
  if (ts.isExternalModuleReference(node)) return node.expression;
  if (ts.isImportTypeNode(node)) return ts.isLiteralTypeNode(node.argument) ? node.argument.literal : node.argument;
  if (ts.isCallExpression(node) && isModuleCall(node.expression)) return node.arguments[0];
  return undefined;
}

function isModuleCall(callee: ts.Expression): boolean {
  if (callee.kind === ts.SyntaxKind.ImportKeyword) return true;
  return ts.isIdentifier(callee) && callee.text === 'require';
}

function isExported(node: ts.ClassDeclaration): boolean {
  return node.modifiers?.some((modifier) => modifier.kind === ts.SyntaxKind.ExportKeyword) ?? false;
}
