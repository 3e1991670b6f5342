import { fileURLToPath } from 'node:url';
import { XmlDocument, XsdValidator } from 'libxml2-wasm';
import { xmlRegisterFsInputProviders } from 'libxml2-wasm/lib/nodejs.mjs';
import type { TestContext } from 'vitest';
import { referenceData } from './reference-data.ts';

/**
 * Gives `use` a judge of documents by a schema of the reference data, which throws saying where a document does not fit.
 * Skips the test when the schema is not there.
 */
export function withSchema(context: TestContext, name: string, use: (judge: (xml: string) => void) => void): void {
  const schema = referenceData(context, `xsd/${name}`);
  xmlRegisterFsInputProviders();
  const url = fileURLToPath(new URL(`../../../shared/xsd/${name}`, import.meta.url));
  using xsd = XmlDocument.fromBuffer(schema, { url });
  using validator = XsdValidator.fromDoc(xsd);
  use((xml) => {
    using document = XmlDocument.fromString(xml);
    validator.validate(document);
  });
}
