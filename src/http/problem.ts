import { type Static, Type } from 'typebox';
import { type RefusalCode, refusal, refusals } from '../core/refusal.ts';
import type { SipCause } from '../core/rows.ts';
import { closed, oneOf } from './schemas.ts';

/** One thing that is wrong with a request, and where. */
export type Fault = {
  readonly in: 'body' | 'query' | 'path' | 'headers';
  readonly pointer: string;
  readonly detail: string;
};

export type RefusedOptions = {
  readonly code: RefusalCode;
  /** What is wrong with this very request, for a person; the code's own sentence when empty. */
  readonly detail?: string;
  readonly faults?: readonly Fault[];
  readonly sip?: SipCause;
  readonly headers?: Readonly<Record<string, string>>;
  /** What went wrong here, for the log only. */
  readonly cause?: unknown;
};

/** An expected "no" on its way to the one place that answers it: thrown by routes and hooks, caught by the server. */
export class Refused extends Error {
  readonly code: RefusalCode;
  readonly faults: readonly Fault[];
  readonly sip: SipCause | null;
  readonly headers: Readonly<Record<string, string>>;

  constructor(options: RefusedOptions) {
    super(options.detail ? options.detail : refusal(options.code).text, { cause: options.cause });
    this.name = 'Refused';
    this.code = options.code;
    this.faults = options.faults ?? [];
    this.sip = options.sip ?? null;
    this.headers = options.headers ?? {};
  }

  get status(): number {
    return refusal(this.code).http;
  }
}

export const PROBLEM_MEDIA_TYPE = 'application/problem+json';

const codes = Object.keys(refusals) as RefusalCode[];

// RFC 9457 3.1, 3.2: the five standard members, and four extensions of ours.
export const Problem = Type.Object(
  {
    type: Type.String({ format: 'uri', description: 'Names the kind of problem; `code` as a URI.' }),
    title: Type.String({ description: 'The kind of problem in words; always the same for one `code`.' }),
    status: Type.Integer({ description: 'The HTTP status.' }),
    detail: Type.String({ description: 'What is wrong with this very request.' }),
    instance: Type.String({ format: 'uri-reference', description: 'The path that was asked for.' }),
    code: oneOf(codes, { description: 'A stable word to program against.' }),
    errors: Type.Array(
      Type.Object(
        {
          in: oneOf(['body', 'query', 'path', 'headers'], { description: 'The part of the request.' }),
          pointer: Type.String({ description: 'JSON pointer (RFC 6901) to the place, as a URI fragment.' }),
          detail: Type.String({ description: 'What is wrong there.' }),
        },
        closed,
      ),
      { description: 'Each fault that was found, when the request itself is to blame.' },
    ),
    request_id: Type.String({ description: 'The same as the header `x-request-id`; the log knows it.' }),
    sip: Type.Optional(
      Type.Object(
        { status: Type.Integer(), reason: Type.String() },
        { ...closed, description: 'The SIP status behind this problem, when there is one.' },
      ),
    ),
  },
  {
    ...closed,
    $id: 'Problem',
    description: 'Why a request was refused (RFC 9457).',
    examples: [
      {
        type: 'urn:isfocus:problem:validation-failed',
        title: 'The request does not fit its schema',
        status: 400,
        detail: 'body #/uri: must be string',
        instance: '/v1/conferences/01961f6e-0b1c-7c3a-9d54-3a5f3c1e8b70/participants',
        code: 'validation-failed',
        errors: [{ in: 'body', pointer: '#/uri', detail: 'must be string' }],
        request_id: '01961f6e-1111-7000-8000-00000000002a',
      },
    ],
  },
);

/** The body of a refusal. `request` gives the path asked for, without its query, and the request's id. */
export function problemOf(refused: Refused, request: { path: string; id: string }): Static<typeof Problem> {
  return {
    type: `urn:isfocus:problem:${refused.code}`,
    title: refusal(refused.code).text,
    status: refused.status,
    detail: refused.message,
    instance: uriReference(request.path),
    code: refused.code,
    errors: refused.faults.map((fault) => ({ in: fault.in, pointer: fault.pointer, detail: fault.detail })),
    request_id: request.id,
    ...(refused.sip === null ? {} : { sip: { status: refused.sip.status, reason: refused.sip.reason } }),
  };
}

/** RFC 9457 3.1.5: a URI reference, also when what was asked for is none (RFC 3986 2): the odd characters are escaped. */
function uriReference(path: string): string {
  return path.replace(/%(?![0-9a-f]{2})|[^\x21-\x7e]|["<>\\^`{|}]/gi, encodeURIComponent);
}

/** What each status means to a caller, and the refusal that shows it best. */
const meanings = {
  400: { description: 'The request cannot be read or does not fit its schema.', code: 'validation-failed' },
  401: { description: 'No API key came, or not a valid one.', code: 'unauthenticated' },
  403: { description: 'This is not allowed.', code: 'not-allowed' },
  404: { description: 'No such thing.', code: 'no-such-conference' },
  409: { description: 'The present state forbids it.', code: 'conference-ended' },
  412: { description: 'It has changed meanwhile.', code: 'changed-meanwhile' },
  413: { description: 'The body is too large.', code: 'body-too-large' },
  415: { description: 'The body is not JSON.', code: 'unsupported-body' },
  429: { description: 'Too much was asked for in a short time.', code: 'too-many-creations' },
  500: { description: 'Something went wrong on our side.', code: 'internal-error' },
  503: { description: 'The service is busy, stopping, or cannot reach its database.', code: 'busy' },
} as const satisfies Record<number, { description: string; code: RefusalCode }>;

type ProblemStatus = keyof typeof meanings;

/** The response schemas of the problems a route may answer with. */
export function problems(...statuses: readonly ProblemStatus[]) {
  return Object.fromEntries(statuses.map((status) => [status, problemResponse(status)]));
}

function problemResponse(status: ProblemStatus) {
  const { description, code } = meanings[status];
  const example = problemOf(new Refused({ code }), { path: '/v1/conferences', id: 'req-42' });
  const headers =
    status === 429 ? { headers: { 'retry-after': { type: 'string', description: 'Seconds to wait.' } } } : {};
  return { description, ...headers, content: { [PROBLEM_MEDIA_TYPE]: { schema: { $ref: 'Problem#' }, example } } };
}
