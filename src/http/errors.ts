import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { BadCursor } from '../core/ports.ts';
import type { RefusalCode } from '../core/refusal.ts';
import { httpLimits } from './http-limits.ts';
import { type Fault, PROBLEM_MEDIA_TYPE, problemOf, Refused } from './problem.ts';

/** Whatever a route, a hook or fastify itself threw, answered as a problem. The only place that does. */
export function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const refused = refusedOf(error);
  const failure = refused.code === 'internal-error' ? error : refused.cause;
  if (failure !== undefined) request.log.error({ err: failure, requestId: request.id }, 'request failed');
  reply
    .code(refused.status)
    .headers({ ...waitOf(refused), ...refused.headers, 'x-request-id': request.id })
    .header('content-type', PROBLEM_MEDIA_TYPE)
    .send(problemOf(refused, { path: pathOf(request), id: request.id }));
}

/** RFC 6585 4: 429 tells how long to wait; what is counted is counted by the minute. */
function waitOf({ status }: Refused): Readonly<Record<string, string>> {
  return status === 429 ? { 'retry-after': '60' } : {};
}

/** The path without its query, for people and for logs: queries may name participants. */
export function pathOf(request: FastifyRequest): string {
  const end = request.url.indexOf('?');
  return end === -1 ? request.url : request.url.slice(0, end);
}

function refusedOf(error: unknown): Refused {
  if (error instanceof Refused) return error;
  if (error instanceof BadCursor) return badQuery('cursor', 'is no cursor of this list');
  if (isFastifyError(error)) return refusedOfFastify(error);
  return new Refused({ code: 'internal-error' });
}

/** A query parameter that no schema could catch. */
export function badQuery(parameter: string, detail: string): Refused {
  return invalid([{ in: 'query', pointer: `#/${parameter}`, detail }]);
}

/** A request with named faults; the first ones also stand in the detail. */
export function invalid(faults: readonly Fault[]): Refused {
  const kept = faults.slice(0, httpLimits.faultsMax);
  const detail = kept.map((fault) => `${fault.in} ${fault.pointer}: ${fault.detail}`).join('; ');
  return new Refused({ code: 'validation-failed', detail, faults: kept });
}

const codeByFastifyCode: Readonly<Record<string, RefusalCode>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'body-too-large',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported-body',
  FST_ERR_CTP_INVALID_JSON_BODY: 'bad-body',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'bad-body',
};

function refusedOfFastify(error: FastifyError): Refused {
  if (error.validation) return invalid(error.validation.map((fault) => faultOf(fault, error.validationContext)));
  const code = codeByFastifyCode[error.code];
  if (code !== undefined) return new Refused({ code, detail: error.message });
  const status = error.statusCode ?? 500;
  if (status >= 400 && status < 500) return new Refused({ code: 'bad-request', detail: error.message });
  return new Refused({ code: 'internal-error' });
}

type Found = NonNullable<FastifyError['validation']>[number];

const partByContext = { body: 'body', querystring: 'query', params: 'path', headers: 'headers' } as const;

function faultOf(found: Found, context: FastifyError['validationContext']): Fault {
  const part = context === undefined ? 'body' : partByContext[context];
  return { in: part, pointer: `#${found.instancePath}${propertyOf(found)}`, detail: sentenceOf(found) };
}

/** A missing or surplus property is named by ajv beside the path of its object; the pointer goes to the property. */
function propertyOf(found: Found): string {
  const name = found.params['missingProperty'] ?? found.params['additionalProperty'];
  // RFC 6901 3 and 6: `~` and `/` are escaped, then the whole as a URI fragment.
  return typeof name === 'string' ? `/${encodeURIComponent(name.replaceAll('~', '~0').replaceAll('/', '~1'))}` : '';
}

function sentenceOf(found: Found): string {
  if (found.keyword === 'required') return 'is missing';
  if (found.keyword === 'additionalProperties') return 'is not known here';
  if (found.keyword === 'pattern') return 'has characters that may not be there';
  const allowed = found.params['allowedValues'];
  if (Array.isArray(allowed)) return `must be one of ${allowed.join(', ')}`;
  return found.message ?? 'is not valid';
}

function isFastifyError(error: unknown): error is FastifyError {
  return error instanceof Error && ('validation' in error || 'statusCode' in error);
}
