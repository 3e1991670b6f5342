import type { FastifyDynamicSwaggerOptions, SwaggerTransformObject } from '@fastify/swagger';
import type { FastifySwaggerUiOptions } from '@fastify/swagger-ui';
import type { RouteOptions } from 'fastify';
import { PROBLEM_MEDIA_TYPE } from './problem.ts';

/** Version of this interface, not of the program. */
const API_VERSION = '0.1.0';

/** How the routes' schemas become one OpenAPI 3.1 document. */
export const documentOptions: FastifyDynamicSwaggerOptions = {
  openapi: {
    openapi: '3.1.0',
    info: {
      title: 'isfocus admin API',
      version: API_VERSION,
      summary: 'See and steer SIP conferences.',
      description: [
        'isfocus is a SIP conference focus and messaging server. This API shows its conferences and acts on them.',
        '',
        'Send your key as `Authorization: Bearer <API key>`; the service prints it at its first start.',
        'Lists come in pages: follow `page.next_cursor`. Whatever goes wrong is told as a problem (RFC 9457) with a stable `code`.',
        'Every answer bears an `x-request-id`, which the log knows too.',
      ].join('\n'),
      license: { name: 'Proprietary', identifier: 'LicenseRef-Proprietary' },
    },
    servers: [{ url: '/', description: 'This service' }],
    security: [{ apiKey: [] }],
    tags: [
      { name: 'Conferences', description: 'Conferences, live and ended.' },
      { name: 'Participants', description: 'Who is in a conference, and what became of each invitation.' },
      { name: 'Subscriptions', description: 'Who watches the rosters.' },
      { name: 'Referrals', description: 'What participants asked the focus to do for them by REFER.' },
      {
        name: 'Messages',
        description: 'What was said in a conference, and what became of it; and what the focus shall say.',
      },
      { name: 'Groups', description: 'Pre-arranged groups, and who belongs to them.' },
      { name: 'Users', description: 'What the operator says of single users.' },
      { name: 'Attempts', description: 'What was refused, and why.' },
      { name: 'Service', description: 'The service itself: numbers, health, this document.' },
    ],
    components: {
      securitySchemes: {
        apiKey: { type: 'http', scheme: 'bearer', description: 'An API key, `isf_…`.' },
      },
    },
  },
  convertConstToEnum: false,
  // Components bear their schemas' own names.
  refResolver: { buildLocalReference: (json) => String(json['$id']) },
  transform: ({ schema, url, route }) => ({ schema: withProblems(schema, Object(route.config) as WithProblems), url }),
  transformObject: (document) => tidied(document),
};

/** The docs page: all its parts come from this process, nothing from the net. */
export const docsOptions: FastifySwaggerUiOptions = {
  routePrefix: '/docs',
  uiConfig: { docExpansion: 'list', deepLinking: true, displayRequestDuration: true },
  theme: { title: 'isfocus admin API' },
  staticCSP: {
    'default-src': "'self'",
    'img-src': ["'self'", 'data:'],
    'style-src': ["'self'", "'unsafe-inline'"],
    'object-src': "'none'",
    'base-uri': "'self'",
    'frame-ancestors': "'none'",
  },
};

type WithProblems = { readonly problems?: Readonly<Record<string, object>> };

/**
 * Takes the problems out of a route's responses, for the document alone to have them. Fastify would make a serializer
 * for each status of each route, hundreds of the same, which is most of the time that a start takes.
 */
export function setProblemsAside(route: RouteOptions): void {
  const responses = Object.entries(Object(route.schema?.response) as Record<string, object>);
  const aside = responses.filter(([, response]) => isProblem(response));
  if (aside.length === 0) return;
  const others = responses.filter(([, response]) => !isProblem(response));
  route.schema = { ...route.schema, response: Object.fromEntries(others) };
  route.config = { ...route.config, ...({ problems: Object.fromEntries(aside) } satisfies WithProblems) };
}

function withProblems<Schema extends { response?: unknown }>(schema: Schema, config: WithProblems): Schema {
  return config.problems === undefined
    ? schema
    : { ...schema, response: { ...Object(schema.response), ...config.problems } };
}

type Operation = {
  parameters?: { required?: boolean; schema?: { default?: unknown } }[];
  responses?: Record<string, unknown>;
  requestBody?: { required?: boolean; content: Record<string, { schema: { required?: readonly string[] } }> };
};

/** Says what fastify's schemas cannot: which problems are the same, which bodies and parameters may be left out. */
function tidied(given: Parameters<SwaggerTransformObject>[0]): ReturnType<SwaggerTransformObject> {
  if (!('openapiObject' in given)) throw new TypeError('the document is OpenAPI, not Swagger 2');
  const document = given.openapiObject;
  const shared: Record<string, object> = {};
  for (const path of Object.values(document.paths ?? {})) {
    for (const operation of Object.values(path ?? {}) as Operation[]) {
      shareProblems(operation, shared);
      freeBody(operation);
      freeParameters(operation);
    }
  }
  const responses = Object.fromEntries(Object.entries(shared).sort(([a], [b]) => a.localeCompare(b)));
  return { ...document, components: { ...document.components, responses } } as typeof document;
}

function freeBody({ requestBody }: Operation): void {
  if (requestBody === undefined) return;
  requestBody.required = Object.values(requestBody.content).some(({ schema }) => schema.required !== undefined);
}

/** A parameter with a default may be left out, though the route always sees it. */
function freeParameters({ parameters = [] }: Operation): void {
  for (const parameter of parameters) if (parameter.schema?.default !== undefined) parameter.required = false;
}

function shareProblems(operation: Operation, shared: Record<string, object>): void {
  const responses = operation.responses ?? {};
  for (const [status, response] of Object.entries(responses)) {
    if (!isProblem(response)) continue;
    const name = `Problem${status}`;
    shared[name] = response;
    responses[status] = { $ref: `#/components/responses/${name}` };
  }
}

function isProblem(response: unknown): response is object {
  if (typeof response !== 'object' || response === null || !('content' in response)) return false;
  const { content } = response;
  return typeof content === 'object' && content !== null && PROBLEM_MEDIA_TYPE in content;
}
