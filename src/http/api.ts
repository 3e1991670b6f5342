import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify';
import type { HttpOptions } from './http-options.ts';
import type { ReplyDesk } from './reply-desk.ts';

/** The fastify instance routes are hung on: its schemas type their requests. */
export type Api = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

/** What a route needs beside the request. */
export type RouteContext = HttpOptions & { readonly desk: ReplyDesk };
