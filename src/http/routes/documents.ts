import { Type } from 'typebox';
import type { Api } from '../api.ts';

/** The API's own description, and the way to it from the front door. */
export function documentRoutes(api: Api): void {
  api.get('/', { schema: { hide: true } }, (_request, reply) => reply.redirect('/docs'));
  api.get(
    '/openapi.json',
    {
      schema: {
        tags: ['Service'],
        security: [],
        operationId: 'getOpenApi',
        summary: 'This document',
        description: 'The OpenAPI 3.1 description of this API, made from the schemas the routes run on.',
        response: {
          200: {
            description: 'The document.',
            content: { 'application/json': { schema: Type.Object({}, { additionalProperties: true }) } },
          },
        },
      },
    },
    async () => api.swagger(),
  );
}
