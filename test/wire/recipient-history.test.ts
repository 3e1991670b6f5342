import { expect, test } from 'vitest';
import { writeRecipientHistory } from '../../src/wire/recipient-history.ts';
import { withSchema } from '../support/schema.ts';

const root =
  '<resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists" xmlns:cp="urn:ietf:params:xml:ns:copycontrol"><list>';
const written = (entries: Parameters<typeof writeRecipientHistory>[0]): string =>
  (writeRecipientHistory(entries) ?? 'none').replace(/^<\?xml[^>]*\?>/, '');

test('CC-035 each URI stands with its level, in order, in the namespace that is all lower case', () => {
  expect(
    written([
      { uri: 'sip:bob@biloxi.example.com', copyControl: 'cc' },
      { uri: 'sip:ted@example.net', copyControl: 'to' },
    ]),
  ).toBe(
    `${root}<entry uri="sip:bob@biloxi.example.com" cp:copyControl="cc"/><entry uri="sip:ted@example.net" cp:copyControl="to"/></list></resource-lists>`,
  );
});

test('CC-025 those who stay unnamed are counted by level', () => {
  expect(
    written([
      { uri: null, copyControl: 'cc' },
      { uri: 'sip:ted@example.net', copyControl: 'cc' },
      { uri: null, copyControl: 'to' },
      { uri: null, copyControl: 'cc' },
    ]),
  ).toBe(
    `${root}<entry uri="sip:ted@example.net" cp:copyControl="cc"/>` +
      '<entry uri="sip:anonymous@anonymous.invalid" cp:copyControl="to" cp:count="1"/>' +
      '<entry uri="sip:anonymous@anonymous.invalid" cp:copyControl="cc" cp:count="2"/></list></resource-lists>',
  );
});

test('where there is nobody to tell of, there is no history', () => {
  expect(writeRecipientHistory([])).toBeNull();
});

test('a history fits the schema, whatever stands in a URI', (context) => {
  withSchema(context, 'resource-lists.xsd', (judge) => {
    judge(
      writeRecipientHistory([
        { uri: 'sip:a&b"c<d@x.example;x=1', copyControl: 'to' },
        { uri: null, copyControl: 'to' },
      ]) ?? '',
    );
  });
});
