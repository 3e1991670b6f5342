import { fileURLToPath } from 'node:url';

/** Files that come with the package, found alike from `src/store` and from the compiled `dist/store`. */
export const packageFiles = {
  migrations: fromRoot('prisma/migrations'),
  /** The prepared empty database and, beside it, what it was made of. */
  template: fromRoot('dist/pglite-template.tar.gz'),
} as const;

function fromRoot(path: string): string {
  return fileURLToPath(new URL(`../../${path}`, import.meta.url));
}
