import { storeContract } from '../contract/store.ts';
import { MemoryStore } from '../support/memory-store.ts';

storeContract('the store in memory', async () => ({ store: new MemoryStore(), close: async () => {} }));
