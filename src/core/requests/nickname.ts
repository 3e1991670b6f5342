import { type Context, loose, type Turn } from '../context.ts';
import type { NicknameAsked } from '../input.ts';

/** RFC 7701 7.1: 403 where the policy allows no nicknames, as here. */
export function askNickname(_context: Context, { reply: to }: NicknameAsked): Turn {
  const outcome = { kind: 'nickname-answered', status: 403, comment: 'Nicknames are not allowed' } as const;
  return loose([{ type: 'reply', to, outcome }]);
}
