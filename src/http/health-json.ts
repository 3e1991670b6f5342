import { type Static, Type } from 'typebox';
import type { DependencyHealth } from './http-options.ts';
import { closed, oneOf } from './schemas.ts';

export const Liveness = Type.Object(
  { status: oneOf(['live'], { description: 'Always `live`: the process answers.' }) },
  { ...closed, $id: 'Liveness', description: 'The process answers.', examples: [{ status: 'live' }] },
);

export const Readiness = Type.Object(
  {
    status: oneOf(['ready', 'not-ready'], { description: '`ready` when every dependency is.' }),
    dependencies: Type.Array(
      Type.Object(
        {
          name: Type.String({ description: 'What the service needs.' }),
          ok: Type.Boolean({ description: 'Whether it is there.' }),
          detail: Type.String({ description: 'More, for a person.' }),
        },
        closed,
      ),
      { description: 'Each by its name.' },
    ),
  },
  {
    ...closed,
    $id: 'Readiness',
    description: 'Whether new work may come here.',
    examples: [{ status: 'ready', dependencies: [{ name: 'database', ok: true, detail: 'embedded' }] }],
  },
);

/** Ready when all are; what is not ready says so by name. */
export function readinessJson(dependencies: readonly DependencyHealth[]): Static<typeof Readiness> {
  return {
    status: dependencies.every((dependency) => dependency.ok) ? 'ready' : 'not-ready',
    dependencies: dependencies.map(({ name, ok, detail }) => ({ name, ok, detail })),
  };
}
