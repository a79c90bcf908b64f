export interface ReadyFacts {
  /** Origin that clients use, such as `http://127.0.0.1:5000`. */
  readonly address: string;
  /** Origin of the operations port; undefined when it is off. */
  readonly opsAddress: string | undefined;
  readonly dataDirectory: string;
  readonly administrator: string;
  /** Present only when this start generated it: it is shown once and kept nowhere. */
  readonly generatedPassword: string | undefined;
}

/** What a start ends with. */
export function readyBanner(facts: ReadyFacts): string {
  const registry = facts.address.replace(/^https?:\/\//, '');
  const rows: [string, string | undefined][] = [
    ['address', facts.address],
    ['operations', facts.opsAddress && `${facts.opsAddress}/metrics, ${facts.opsAddress}/health`],
    ['data directory', facts.dataDirectory],
    ['administrator', facts.administrator],
    ['password', facts.generatedPassword && `${facts.generatedPassword}   (shown only this once)`],
    ['first push', `docker login ${registry} && docker push ${registry}/${facts.administrator}/hello:1`],
  ];
  const lines = rows.filter(([, text]) => text !== undefined).map(([name, text]) => `  ${name.padEnd(16)}${text}`);
  return ['', 'Entrepot is ready.', '', ...lines, '', 'Stop it with Ctrl-C.', ''].join('\n');
}
