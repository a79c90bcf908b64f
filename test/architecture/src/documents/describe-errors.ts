import { ERROR_TABLE } from '@entrepot/oci';

/** `docs/errors.md`: the codes of the distribution API with the status and message that each has. */
export function describeErrors(): string {
  const rows = Object.entries(ERROR_TABLE).map(
    ([code, { status, message }]) => `| \`${code}\` | ${status} | ${message} |`,
  );
  return `${[...INTRODUCTION, '| Code | Status | Message |', '| --- | --- | --- |', ...rows].join('\n')}\n`;
}

const INTRODUCTION = [
  '# Errors of the distribution API',
  '',
  '<!-- Written by `npm run generate` from ERROR_TABLE in libs/oci/src/errors.ts. -->',
  '',
  'Every refusal below `/v2/` has the body `{"errors":[{"code","message","detail"}]}`; `detail` is left out where there is',
  'nothing to add. The status is the usual one of the code: where a clause of the specification asks for another, such as',
  '413 for a manifest that is too large (`SIZE_INVALID`), that one is sent. Messages are for people and may change; codes',
  'and statuses do not. An unexpected error is `UNKNOWN` with the id of the request, under which the log has the cause.',
  '',
];
