import type { Api } from './api.ts';
import { Refused } from './problem.ts';

const methods = ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT'] as const;

/**
 * RFC 9110 15.5.6: a known path asked by another method is answered 405 with Allow, not 404. Call `refuse` once the
 * routes of `api` are there; it adds the missing methods of each path. The hooks of `api` come first.
 */
export function otherMethods(api: Api): { refuse: () => void } {
  const allowedByPath = new Map<string, Set<string>>();
  let watching = true;
  api.addHook('onRoute', (route) => {
    if (!watching) return;
    const allowed = allowedByPath.get(route.path) ?? new Set<string>();
    for (const method of [route.method].flat()) allowed.add(method);
    allowedByPath.set(route.path, allowed);
  });
  return {
    refuse: () => {
      watching = false;
      for (const [path, allowed] of allowedByPath) refuseAt(api, path, allowed);
    },
  };
}

function refuseAt(api: Api, path: string, allowed: ReadonlySet<string>): void {
  const allow = [...allowed].sort().join(', ');
  api.route({
    method: methods.filter((method) => !allowed.has(method)),
    url: path.slice(api.prefix.length),
    schema: { hide: true },
    // Before the body is looked at: it does not matter what came.
    onRequest: () => Promise.reject(new Refused({ code: 'method-not-allowed', headers: { allow } })),
    handler: () => undefined,
  });
}
