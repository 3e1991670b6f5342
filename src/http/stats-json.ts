import { type Static, Type } from 'typebox';
import type { Instant } from '../core/rows.ts';
import type { StatsView } from './http-options.ts';
import { closed, iso, oneOf, time } from './schemas.ts';

export const Stats = Type.Object(
  {
    version: Type.String({ description: 'Version of the program.' }),
    node: Type.String({ description: 'Id of this node.' }),
    started_at: time({ description: 'When this process started.' }),
    uptime_seconds: Type.Integer({ description: 'Whole seconds since then.' }),
    factory_uri: Type.String({ description: 'Call this URI to make a conference.' }),
    addresses: Type.Array(
      Type.Object(
        {
          part: oneOf(['http', 'sip', 'msrp'], { description: 'Which part listens.' }),
          transport: oneOf(['udp', 'tcp', 'tls', 'ws', 'wss'], { description: 'The transport.' }),
          host: Type.String({ description: 'The address that is bound.' }),
          port: Type.Integer({ description: 'The port that is bound.' }),
        },
        closed,
      ),
      { description: 'Every socket the service listens on.' },
    ),
    counts: Type.Object(
      {
        conferences: Type.Integer({ description: 'Conferences that run here.' }),
        participants: Type.Integer({ description: 'Participants connected to them.' }),
        subscriptions: Type.Integer({ description: 'Subscriptions to their rosters.' }),
        msrp_sessions: Type.Integer({ description: 'Open MSRP sessions.' }),
        messages: Type.Integer({ description: 'Messages switched since the start.' }),
      },
      { ...closed, description: 'What this node is doing.' },
    ),
  },
  {
    ...closed,
    $id: 'Stats',
    description: 'This node at a glance.',
    examples: [
      {
        version: '0.1.0',
        node: 'node-1',
        started_at: '2026-03-01T09:00:00.000Z',
        uptime_seconds: 1800,
        factory_uri: 'sip:conf-fact@127.0.0.1',
        addresses: [{ part: 'sip', transport: 'udp', host: '127.0.0.1', port: 5060 }],
        counts: { conferences: 1, participants: 3, subscriptions: 3, msrp_sessions: 3, messages: 12 },
      },
    ],
  },
);

/** The view as the API shows it. */
export function statsJson(view: StatsView, now: Instant): Static<typeof Stats> {
  const { counts } = view;
  return {
    version: view.version,
    node: view.node,
    started_at: iso(view.startedAt),
    uptime_seconds: Math.max(0, Math.floor((now - view.startedAt) / 1000)),
    factory_uri: view.factoryUri,
    addresses: view.addresses.map(({ part, transport, host, port }) => ({ part, transport, host, port })),
    counts: {
      conferences: counts.conferences,
      participants: counts.participants,
      subscriptions: counts.subscriptions,
      msrp_sessions: counts.msrpSessions,
      messages: counts.messages,
    },
  };
}
