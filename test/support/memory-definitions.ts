import type { Definition, DefinitionStore } from '../../src/core/ports.ts';
import { inOrder } from './memory-lists.ts';

/** The store of groups, or of users, over a map. */
export class MemoryDefinitions<Row extends Definition> implements DefinitionStore<Row> {
  readonly #rows = new Map<string, Row>();
  readonly #name: 'groups' | 'users';
  readonly #titleOf: (row: Row) => string | null;

  constructor(name: 'groups' | 'users', titleOf: (row: Row) => string | null) {
    this.#name = name;
    this.#titleOf = titleOf;
  }

  readonly list: DefinitionStore<Row>['list'] = ({ q }, page) => {
    const holds = (text: string | null) => text?.toLowerCase().includes((q ?? '').toLowerCase()) === true;
    const found = [...this.#rows.values()].filter((row) => q === null || holds(row.uri) || holds(this.#titleOf(row)));
    const placeOf = (row: Row) => ({ key: row.createdAt, id: row.id });
    return inOrder(found, { name: this.#name, descending: true, placeOf }, page);
  };

  readonly byId: DefinitionStore<Row>['byId'] = async (id) => this.#rows.get(id);

  readonly byUri: DefinitionStore<Row>['byUri'] = async (uri) =>
    [...this.#rows.values()].find((row) => row.uri === uri);

  readonly insert: DefinitionStore<Row>['insert'] = async (row) => {
    const nameOf = ({ uri }: Row) => (this.#name === 'groups' ? uri.split('@')[0] : uri);
    if ([...this.#rows.values()].some((other) => nameOf(other) === nameOf(row))) return false;
    this.#rows.set(row.id, row);
    return true;
  };

  readonly replace: DefinitionStore<Row>['replace'] = async (row) => {
    if (this.#rows.get(row.id)?.revision !== row.revision - 1) return false;
    this.#rows.set(row.id, row);
    return true;
  };

  readonly remove: DefinitionStore<Row>['remove'] = async (id, revision) =>
    this.#rows.get(id)?.revision === revision && this.#rows.delete(id);

  readonly updatedSince: DefinitionStore<Row>['updatedSince'] = async (time) =>
    [...this.#rows.values()].filter((row) => row.updatedAt >= time);

  readonly totals: DefinitionStore<Row>['totals'] = async () => ({
    count: this.#rows.size,
    revisions: [...this.#rows.values()].reduce((sum, { revision }) => sum + revision, 0),
  });

  readonly revisions: DefinitionStore<Row>['revisions'] = async () =>
    [...this.#rows.values()].map(({ id, revision }) => ({ id, revision }));

  clear(): void {
    this.#rows.clear();
  }
}
