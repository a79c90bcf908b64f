const STACK_TRACE = /\n\s+at .+[:(]\d+:\d+\)?|node_modules|node:internal/;

/** Throws where an answer is a fault of the server: a 5xx, or a trace of its inside. */
export function refuseFault(request: string, status: number, text: string): void {
  const shown = request.length > 300 ? `${request.slice(0, 300)}…` : request;
  if (status >= 500) throw new Error(`${shown} was answered ${status}: ${text.slice(0, 500)}`);
  if (STACK_TRACE.test(text)) throw new Error(`the answer to ${shown} shows a stack trace: ${text.slice(0, 500)}`);
}
