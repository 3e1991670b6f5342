import { storeContract } from '../contract/store.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { MemoryStore } from '../support/memory-store.ts';
import { noon } from '../support/stored-rows.ts';

storeContract('the store in memory', async () => ({
  store: new MemoryStore(new ManualClock(noon)),
  close: async () => {},
}));
