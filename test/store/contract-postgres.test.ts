import { storeContract } from '../contract/store.ts';
import { describePostgres, startPostgres } from '../support/postgres.ts';
import { openTestStore } from '../support/test-store.ts';

describePostgres('Postgres', () => {
  storeContract('the store on Postgres', async () => {
    const postgres = await startPostgres();
    const { store, close } = await openTestStore({ databaseUrl: await postgres.createDatabase() });
    return {
      store,
      close: async () => {
        await close();
        await postgres.stop();
      },
    };
  });
});
