import type { ChatPolicy } from './rows.ts';

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
