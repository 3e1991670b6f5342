import { storeContract } from '../contract/store.ts';
import { openTestStore } from '../support/test-store.ts';

storeContract('the store on PGlite', () => openTestStore({ databaseUrl: null }));
