/** What the benchmark uses of npm `sip`, which brings no types. */
declare module 'sip' {
  type Request = { readonly method: string; readonly headers: { to: { params: Record<string, string> } } };
  type Response = { headers: object; content?: string };
  type Stack = { send: (message: Response) => void };
  export function create(options: { port: number; address: string }, received: (request: Request) => void): Stack;
  export function makeResponse(request: Request, status: number, reason: string): Response;
}
