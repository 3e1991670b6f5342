import { defineConfig } from 'prisma/config';

// `generate` needs no schema engine; naming an existing executable keeps the CLI from downloading one.
// Only for generate: `migrate` must find, or download, the real engine.
if (process.argv.includes('generate')) process.env['PRISMA_SCHEMA_ENGINE_BINARY'] ??= process.execPath;
process.env['CHECKPOINT_DISABLE'] ??= '1';

export default defineConfig({
  schema: 'prisma/schema.prisma',
  migrations: { path: 'prisma/migrations' },
  datasource: { url: process.env['DATABASE_URL'] ?? 'postgresql://localhost/none' },
});
