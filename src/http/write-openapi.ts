import { mkdir, writeFile } from 'node:fs/promises';
import { openApiText } from './openapi-document.ts';

/** `npm run openapi`: writes `openapi/openapi.json` from the routes' own schemas. */
const folder = new URL('../../openapi/', import.meta.url);
await mkdir(folder, { recursive: true });
await writeFile(new URL('openapi.json', folder), await openApiText());
