import type { ChatPolicy } from './rows.ts';
import type { Settings } from './settings.ts';

/** What holds of messages where nobody has said anything else. */
export const usualChat: ChatPolicy = {
  nicknames: true,
  privateMessages: true,
  history: 'off',
  historyDays: 30,
  greeting: false,
  announcements: false,
  transport: 'any',
};

/** Why nobody could have messages by such a policy, in one sentence; null: they can. */
export function chatRefused({ transport }: Partial<ChatPolicy>, { msrp }: Pick<Settings, 'msrp'>): string | null {
  if (transport !== 'tls') return null;
  if (msrp.tlsPort === null) return 'No messages can come over TLS: MSRP_TLS_PORT is off';
  // RFC 4976: whoever wants TLS wants it on every hop.
  const [relay = 'msrps:'] = msrp.present().relays;
  return relay.startsWith('msrps:') ? null : 'No messages can come over TLS: the relay before us is one of msrp';
}
