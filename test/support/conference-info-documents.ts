/** Conference state documents of every shape that the model allows, made by chance from a seed. */
import fc from 'fast-check';
import type { ConferenceInfoDocument, ElementState } from '../../src/wire/conference-info.ts';
import {
  disconnectionMethods,
  endpointStatuses,
  joiningMethods,
  mediaStatuses,
} from '../../src/wire/conference-info-words.ts';

type Making = {
  readonly text: fc.Arbitrary<string>;
  readonly uri: fc.Arbitrary<string>;
  /** Of the root and of all within it. */
  readonly states: readonly ElementState[];
  /** Whether what may be left out of the model is left out at times; else it is there, null or empty. */
  readonly leavesOut: boolean;
};

/** All that documents are made of is told; a full one is full, one of no users has no state of users. */
export function documentsOf(making: Making): fc.Arbitrary<ConferenceInfoDocument> {
  const { uri, states } = making;
  const record = recordOf(making);
  const documents = fc.constantFrom(...states).chain((state) =>
    record(
      {
        entity: uri,
        state: fc.constant(state),
        version: unsignedInt,
        description: state === 'full' ? description(making) : fc.option(description(making)),
        hostInfo: fc.option(hostInfo(making)),
        conferenceState: fc.option(conferenceState),
        users: state === 'full' ? users(making) : fc.option(users(making)),
        usersState: fc.constantFrom(...states),
      },
      ['hostInfo', 'usersState'],
    ),
  );
  return documents.map((document) =>
    document['users'] === null ? { ...document, usersState: 'full' } : document,
  ) as fc.Arbitrary<ConferenceInfoDocument>;
}

/** Characters that XML takes, and those that mean something in it. */
export const cleanText = fc.string({
  unit: fc.constantFrom('a', 'Ä', '😀', '<', '>', '&', '"', "'", ']]>', ' ', '\t', '\n', '\r', '&lt;', '&#13;', '-->'),
  maxLength: 8,
});

/** Any UTF-16 at all: controls, halves of surrogate pairs, what XML forbids, and pieces of XML itself. */
export const hostileText = fc.oneof(
  fc.constantFrom('', 'Alice', 'sip:anonymous1@anonymous.invalid', 'Anonymous 1'),
  fc.string({ unit: fc.nat(0xff).map((code) => String.fromCharCode(code)), maxLength: 8 }),
  fc.string({ unit: fc.nat(0xffff).map((code) => String.fromCharCode(code)), maxLength: 4 }),
  fc.string({
    unit: fc.constantFrom(
      ...['\u0000', '\u0008', '\t', '\n', '\u000B', '\r', '\u001F', '\u007F', '\u0085', '\u2028'],
      ...['\uD7FF', '\uD800', '\uDBFF', '\uDC00', '\uDFFF', '\uE000', '\uFFFD', '\uFFFE', '\uFFFF', '😀'],
      ...['<', '>', '&', '"', "'", ']]>', '&lt;', '&amp;amp;', '&#13;', '&nbsp;', '<![CDATA[', '-->', '<?', '</users>'],
    ),
    maxLength: 8,
  }),
);

/** URIs of SIP that libxml2 takes for the schema's anyURI; it takes none with an IPv6 address. */
export const sipUri = fc.oneof(
  fc.constantFrom('sip:anonymous1@anonymous.invalid', 'sip:anonymous2-1@anonymous.invalid', 'tel:+1-212-555-0100'),
  fc
    .tuple(
      fc.constantFrom('sip', 'sips'),
      fc.stringMatching(/^[a-z0-9.!~*'()&=+$,;?_-]{1,12}$/),
      fc.oneof(fc.domain(), fc.ipV4()),
      fc.constantFrom('', ':5062', ';transport=tcp', ';gr=urn:uuid:1', ';x=%22%3C'),
    )
    .map(([scheme, user, host, rest]) => `${scheme}:${user}@${host}${rest}`),
);

const unsignedInt = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const count = fc.option(unsignedInt);
const few = { maxLength: 2 };

type Model = Record<string, fc.Arbitrary<unknown>>;

/** Makes records of a model, the `optional` keys left out at times if so wished. */
function recordOf({ leavesOut }: Making) {
  return (model: Model, optional: readonly string[]) =>
    fc.record(model, { requiredKeys: Object.keys(model).filter((key) => !leavesOut || !optional.includes(key)) });
}

function description(making: Making) {
  return recordOf(making)(
    {
      subject: fc.option(making.text),
      confUris: fc.array(uriEntry(making), few),
      serviceUris: fc.array(uriEntry(making), few),
      maximumUserCount: count,
      availableMedia: fc.array(
        fc.record({ label: making.text, type: making.text, status: fc.option(fc.constantFrom(...mediaStatuses)) }),
        few,
      ),
    },
    ['serviceUris', 'availableMedia'],
  );
}

function uriEntry(making: Making) {
  const { text, uri } = making;
  const model = { uri, displayText: fc.option(text), purpose: fc.option(fc.oneof(text, fc.constant('participation'))) };
  return recordOf(making)(model, ['displayText']);
}

function hostInfo(making: Making) {
  const { text, uri } = making;
  return fc.record({
    displayText: fc.option(text),
    webPage: fc.option(uri),
    uris: fc.array(uriEntry(making), few),
  });
}

const conferenceState = fc.record({
  userCount: count,
  active: fc.option(fc.boolean()),
  locked: fc.option(fc.boolean()),
});

function users(making: Making) {
  const { text, uri, states } = making;
  const user = recordOf(making)(
    {
      entity: uri,
      state: fc.constantFrom(...states),
      nickname: fc.option(text),
      displayText: fc.option(text),
      associatedAors: fc.array(uri, few),
      roles: fc.array(text, few),
      languages: fc.array(fc.constantFrom('en', 'de-AT', 'x-klingon', 'zh-Hant-TW'), few),
      endpoints: fc.array(endpoint(making), few),
    },
    ['state', 'nickname', 'associatedAors', 'languages'],
  );
  return fc.array(user, { maxLength: 3 });
}

function endpoint(making: Making) {
  const { text, uri, states } = making;
  const execution = fc.option(
    fc.record({
      when: fc.option(fc.integer({ min: 0, max: Date.UTC(9999, 11, 31) })),
      reason: fc.option(text),
      by: fc.option(uri),
    }),
  );
  const model = {
    entity: uri,
    state: fc.constantFrom(...states),
    referred: execution,
    status: fc.option(fc.constantFrom(...endpointStatuses)),
    joiningMethod: fc.option(fc.constantFrom(...joiningMethods)),
    joiningInfo: execution,
    disconnectionMethod: fc.option(fc.constantFrom(...disconnectionMethods)),
    disconnectionInfo: execution,
    media: fc.array(
      fc.record({ id: text, type: fc.option(text), status: fc.option(fc.constantFrom(...mediaStatuses)) }),
      few,
    ),
    callInfo: fc.option(fc.record({ callId: text, fromTag: text, toTag: text })),
  };
  return recordOf(making)(model, ['state', 'callInfo']);
}
