import { describe, expect, it } from 'vitest';
import { readSource } from './workspace/read-source.js';

describe('readSource', () => {
  it.each([
    ["import { a } from 'm';"],
    ["import type { A } from 'm';"],
    ["import { type A } from 'm';"],
    ["import 'm';"],
    ["import * as m from 'm';"],
    ["import m = require('m');"],
    ["export { a } from 'm';"],
    ["export type { A } from 'm';"],
    ["export * from 'm';"],
    ["export * as m from 'm';"],
    ["const m = await import('m');"],
    ['const m = await import(`m`);'],
    ["type A = import('m').A;"],
    ["let a: typeof import('m');"],
    ["const m = require('m');"],
    ["function f() { return () => import('m'); }"],
  ])('finds the module of %s', (text) => {
    expect(readSource('a.ts', `\n${text}`).uses).toEqual([{ specifier: 'm', line: 2 }]);
  });

  it('tells that a name is computed', () => {
    expect(readSource('a.ts', 'await import(`./${name}.js`);').uses).toEqual([{ specifier: undefined, line: 1 }]);
  });

  it.each([
    ["// import 'm';"],
    ['const text = "import \'m\'";'],
    ["export const m = 'm';"],
    ['export { a };'],
    ['import.meta.url;'],
  ])('sees no import in %s', (text) => {
    expect(readSource('a.ts', text).uses).toEqual([]);
  });

  it('lists exported classes and lines', () => {
    const { exportedClasses, lineCount } = readSource(
      'a.ts',
      'export class A {}\nclass B {}\nexport abstract class C {}\n',
    );
    expect({ exportedClasses, lineCount }).toEqual({ exportedClasses: ['A', 'C'], lineCount: 3 });
  });
});
