import { expect, test } from 'vitest';
import { limits } from '../../../src/sipd/limits.ts';
import { KeptNames } from '../../../src/sipd/names/kept-names.ts';
import type { Found, Names } from '../../../src/sipd/names/names.ts';
import type { Question } from '../../../src/sipd/target/questions.ts';

const srvRecord = { priority: 1, weight: 1, port: 5060, target: 'a.example.com' };

/** A world of names that counts how often it is asked, and a clock that goes when told. */
function open(more: Partial<Names> = {}, questionMs?: number) {
  const asked: string[] = [];
  let now = 1_000;
  const address = (kind: string, host: string, ttlMs: number | null) => async (name: string) => {
    asked.push(`${kind} ${name}`);
    return { records: name === 'none' ? [] : [host], ttlMs };
  };
  const names: Names = {
    a: address('a', '192.0.2.1', 20_000),
    aaaa: address('aaaa', '2001:db8::1', null),
    srv: async (name) => {
      asked.push(`srv ${name}`);
      return { records: [srvRecord], ttlMs: null };
    },
    naptr: () => Promise.reject(new Error('ESERVFAIL')),
    ...more,
  };
  const kept = new KeptNames({ names, now: () => now, questionMs });
  const ask = (kind: Question['kind'], name: string) => kept.answers([{ kind, name }]).then(([answer]) => answer);
  return {
    asked,
    kept,
    ask,
    pass: (ms: number) => {
      now += ms;
    },
  };
}

test('an address is kept for its TTL, and at most an hour', async () => {
  for (const [ttlMs, keptMs] of [
    [20_000, 20_000],
    [86_400_000, limits.addressTtlMaxMs],
  ] as const) {
    const found: Found<string> = { records: ['192.0.2.1'], ttlMs };
    const asked: string[] = [];
    const { ask, pass } = open({
      a: async (name) => {
        asked.push(name);
        return found;
      },
    });
    expect(await ask('a', 'x')).toEqual({ kind: 'a', addresses: ['192.0.2.1'] });
    pass(keptMs - 1);
    await ask('a', 'x');
    expect(asked).toHaveLength(1);
    pass(1);
    await ask('a', 'x');
    expect(asked).toHaveLength(2);
  }
});

test('a TTL of 0 keeps nothing', async () => {
  const asked: string[] = [];
  const { ask } = open({
    a: async (name) => {
      asked.push(name);
      return { records: ['192.0.2.1'], ttlMs: 0 };
    },
  });
  await ask('a', 'x');
  await ask('a', 'x');
  expect(asked).toHaveLength(2);
});

test('what has no TTL is kept for a minute', async () => {
  const { ask, asked, pass } = open();
  expect(await ask('srv', 'x')).toEqual({ kind: 'srv', records: [srvRecord] });
  await ask('aaaa', 'x');
  pass(limits.recordTtlMaxMs - 1);
  await ask('srv', 'x');
  await ask('aaaa', 'x');
  expect(asked).toEqual(['srv x', 'aaaa x']);
  pass(1);
  await ask('srv', 'x');
  expect(asked).toHaveLength(3);
});

test('that there is nothing is believed for five seconds, and so is a failure', async () => {
  const { ask, asked, pass } = open();
  expect(await ask('a', 'none')).toEqual({ kind: 'a', addresses: [] });
  pass(limits.nothingFoundMs - 1);
  await ask('a', 'none');
  expect(asked).toHaveLength(1);
  pass(1);
  await ask('a', 'none');
  expect(asked).toHaveLength(2);
  expect(await ask('naptr', 'x')).toEqual({ kind: 'naptr', records: [] });
});

test('who asks while the question is open waits for the same answer', async () => {
  const { kept, asked } = open();
  const question: Question = { kind: 'a', name: 'x' };
  const answers = await Promise.all([kept.answers([question, question]), kept.answers([question])]);
  expect(answers.flat()).toEqual(Array(3).fill({ kind: 'a', addresses: ['192.0.2.1'] }));
  expect(asked).toEqual(['a x']);
});

test('an answer that does not come in time is none', async () => {
  const { ask } = open({ a: () => new Promise(() => undefined) }, 10);
  expect(await ask('a', 'x')).toEqual({ kind: 'a', addresses: [] });
});

test('of many records the first 16 are read; of many names the oldest is asked for again', async () => {
  const records = Array.from({ length: 40 }, (_, at) => `192.0.2.${at}`);
  const asked: string[] = [];
  const { ask } = open({
    a: async (name) => {
      asked.push(name);
      return { records, ttlMs: 60_000 };
    },
  });
  expect(await ask('a', 'n0')).toEqual({ kind: 'a', addresses: records.slice(0, limits.targetsMax) });
  for (let at = 1; at <= limits.namesKeptMax; at += 1) await ask('a', `n${at}`);
  await ask('a', `n${limits.namesKeptMax}`);
  expect(asked).toHaveLength(limits.namesKeptMax + 1);
  await ask('a', 'n0');
  expect(asked).toHaveLength(limits.namesKeptMax + 2);
});

test('what is not kept drives nothing out', async () => {
  const { ask, asked } = open({ aaaa: async () => ({ records: ['2001:db8::1'], ttlMs: 0 }) });
  for (let at = 0; at < limits.namesKeptMax; at += 1) await ask('a', `n${at}`);
  for (let at = 0; at < 10; at += 1) await ask('aaaa', `m${at}`);
  await ask('a', 'n0');
  expect(asked).toHaveLength(limits.namesKeptMax);
});

test('a resolver that throws has found nothing', async () => {
  const { ask } = open({
    a: () => {
      throw new Error('no');
    },
  });
  expect(await ask('a', 'x')).toEqual({ kind: 'a', addresses: [] });
});
