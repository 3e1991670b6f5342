import type { FastifyRequest, RouteOptions } from 'fastify';
import { ADMIN_SCOPE } from './api-key.ts';
import { Refused } from './problem.ts';

/** What a key may be good for beside everything. */
export type Scope = 'messages:read' | 'messages:read_content' | 'conferences:write';

/** The name of the request's decoration that holds the scopes of its key. */
export const SCOPES = 'scopes';

/** The configuration of a route that keys with this scope may call, too. */
export function opensTo(scope: Scope): NonNullable<RouteOptions['config']> {
  return Object({ scope });
}

/** Refuses a key that has neither the admin scope nor the one of the route. */
export function assureScope(request: FastifyRequest): void {
  const { scope } = Object(request.routeOptions.config) as { readonly scope?: Scope };
  const isOpen = scope === undefined ? hasScope(request, ADMIN_SCOPE) : hasScope(request, scope);
  if (!isOpen) throw new Refused({ code: 'not-allowed', detail: 'The key lacks the scope' });
}

/** Whether the request's key is good for this. */
export function hasScope(request: Pick<FastifyRequest, 'getDecorator'>, scope: Scope | typeof ADMIN_SCOPE): boolean {
  const scopes = request.getDecorator<readonly string[]>(SCOPES);
  return scopes.includes(ADMIN_SCOPE) || scopes.includes(scope);
}
