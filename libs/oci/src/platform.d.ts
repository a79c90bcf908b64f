/**
 * All that this room uses beyond ECMAScript. It compiles without the types of Node and of the browser, so that it can
 * run in both; the few names that every JavaScript platform gives are declared here.
 */
declare class TextDecoder {
  constructor(label: 'utf-8', options: { fatal: boolean; ignoreBOM: boolean });
  decode(bytes: Uint8Array): string;
}
