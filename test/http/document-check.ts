import type { LightMyRequestResponse } from 'fastify';
import { Compile } from 'typebox/schema';
import { expect } from 'vitest';

type Json = Readonly<Record<string, unknown>>;

export type DocumentedOperation = { readonly path: string; readonly method: string; readonly operation: Json };

/** Holds responses against the OpenAPI document: known status, known media type, body that fits its schema. */
export class DocumentCheck {
  readonly #document: Json;
  readonly #validators = new Map<unknown, (value: unknown) => readonly object[]>();

  constructor(document: object) {
    this.#document = { ...document };
  }

  response(method: string, url: string, response: LightMyRequestResponse): void {
    const mediaType = response.headers['content-type']?.toString().split(';')[0] ?? '';
    const schema = this.#schemaFor({ method, url, status: response.statusCode, mediaType });
    if (schema === undefined) return;
    const value: unknown = mediaType.endsWith('json') ? response.json() : response.body;
    expect(this.#faults(schema, value), `${method} ${url} ${response.statusCode}`).toEqual([]);
  }

  /** Holds the example of each component against its schema. */
  examples(): void {
    for (const [name, schema] of Object.entries(at(this.#document, 'components', 'schemas') ?? {})) {
      const { examples = [] } = schema as { readonly examples?: readonly unknown[] };
      for (const example of examples) expect(this.#faults(asJson(schema), example), name).toEqual([]);
    }
  }

  /** The schema of a body; undefined when there is none to be. Whatever the document does not know must be a problem. */
  #schemaFor(found: { method: string; url: string; status: number; mediaType: string }): Json | undefined {
    const operation = this.#operation(found.method, found.url);
    const documented = at(operation, 'responses', String(found.status));
    if (documented === undefined) {
      if (operation !== undefined) expect.fail(`${found.method} ${found.url} answers an undocumented ${found.status}`);
      return found.mediaType === 'application/problem+json' ? this.#named('Problem') : undefined;
    }
    const content = at(this.#resolved(documented), 'content');
    if (content === undefined) {
      expect(found.mediaType, `${found.method} ${found.url} has no body`).toBe('');
      return undefined;
    }
    const schema = at(content, found.mediaType, 'schema');
    if (schema === undefined) expect.fail(`${found.method} ${found.url} answers an undocumented ${found.mediaType}`);
    return schema;
  }

  #operation(method: string, url: string): Json | undefined {
    const asked = url.split('?')[0]?.split('/') ?? [];
    return operationsOf(this.#document).find((known) => {
      const parts = known.path.split('/');
      const fits = parts.every((part, index) => part === asked[index] || (part.startsWith('{') && asked[index] !== ''));
      return known.method === method && parts.length === asked.length && fits;
    })?.operation;
  }

  #faults(schema: Json, value: unknown): readonly object[] {
    let validate = this.#validators.get(schema);
    if (validate === undefined) {
      // References are pointers into the document, hence its components go along.
      const compiled = Compile({ ...schema, components: this.#document['components'] });
      validate = (candidate) => (compiled.Check(candidate) ? [] : compiled.Errors(candidate)[1]);
      this.#validators.set(schema, validate);
    }
    return validate(value);
  }

  #resolved(node: Json): Json {
    const reference = node['$ref'];
    if (typeof reference !== 'string') return node;
    return at(this.#document, ...reference.slice(2).split('/')) ?? expect.fail(`${reference} leads nowhere`);
  }

  #named(name: string): Json {
    return at(this.#document, 'components', 'schemas', name) ?? expect.fail(`no schema ${name}`);
  }
}

/** Every operation of a document. */
export function operationsOf(document: object): readonly DocumentedOperation[] {
  return Object.entries(at({ ...document }, 'paths') ?? {}).flatMap(([path, item]) =>
    Object.entries(asJson(item)).map(([method, operation]) => ({
      path,
      method: method.toUpperCase(),
      operation: asJson(operation),
    })),
  );
}

/** The object at the end of a path of keys; undefined when there is none. */
export function at(node: Json | undefined, ...keys: readonly string[]): Json | undefined {
  let found: unknown = node;
  for (const key of keys) {
    if (typeof found !== 'object' || found === null) return undefined;
    found = asJson(found)[key];
  }
  return typeof found === 'object' && found !== null ? asJson(found) : undefined;
}

function asJson(node: unknown): Json {
  return Object(node) as Json;
}
