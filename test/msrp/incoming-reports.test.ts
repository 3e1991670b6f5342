import { beforeEach, describe, expect, test } from 'vitest';
import { limits } from '../../src/core/limits.ts';
import { msrpHeader } from '../../src/wire/msrp.ts';
import { settled } from './memory-carrier.ts';
import { aliceAndBob, type Member, type MemoryRoom, shortOf } from './memory-room.ts';
import { chatLine, longLine } from './switch-room.ts';

let room: MemoryRoom;
let alice: Member;
let bob: Member;

beforeEach(async () => {
  ({ room, alice, bob } = await aliceAndBob());
});

describe('responses and reports (RFC 4975 7.1, 7.2)', () => {
  const content = longLine(30_000);
  const header = (name: string, value: string): { name: string; value: string } => ({ name, value });

  test.each([
    ['no', [undefined, undefined, undefined]],
    ['partial', [undefined, undefined, 413]],
    ['yes', [200, 200, 413]],
  ])('CC-156 Failure-Report %s of chunks', async (value, expected) => {
    const headers = [header('Failure-Report', value)];
    const [first, last] = [content.subarray(0, 20_000), content.subarray(20_000)];
    const ids = [
      alice.chunk({ messageId: 'long', body: first, range: '1-*/30000', flag: '+', headers }),
      alice.chunk({ messageId: 'long', body: last, range: '20001-*/30000', headers }),
      alice.chunk({ messageId: 'longer', body: content, range: '1-*/2000000', flag: '+', headers }),
    ];
    await settled();
    expect(ids.map((id) => alice.answers.get(id))).toEqual(expected);
    expect(bob.messages).toEqual([shortOf(content)]);
  });

  test.each(['yes', 'partial', 'no'])(
    'CC-158 Success-Report yes: one REPORT when all has come, with Failure-Report %s, too',
    async (value) => {
      const headers = [header('Success-Report', 'yes'), header('Failure-Report', value)];
      alice.chunk({ messageId: 'long', body: content.subarray(20_000), range: '20001-30000/30000', headers });
      await settled();
      expect(alice.reports).toEqual([]);
      alice.chunk({ messageId: 'long', body: content.subarray(0, 20_000), range: '1-*/30000', flag: '+', headers });
      alice.chunk({ messageId: 'short', body: chatLine('Hello'), headers });
      await settled();
      expect(alice.reports.map((report) => report.headers)).toEqual([
        [header('Message-ID', 'long'), header('Byte-Range', '1-30000/30000'), header('Status', '000 200 OK')],
        [
          header('Message-ID', 'short'),
          header('Byte-Range', `1-${chatLine('Hello').length}/${chatLine('Hello').length}`),
          header('Status', '000 200 OK'),
        ],
      ]);
      expect(alice.reports[0]).toMatchObject({ toPath: alice.path, fromPath: [alice.peerPath], body: null, flag: '$' });
    },
  );

  test('CC-158 the REPORT comes after the 200, along the whole path, and only of what was taken', async () => {
    const carol = room.join('carol', 'msrp://relay.example.com:2855/r;tcp');
    room.route(['alice', 'bob', 'carol']);
    const headers = [header('Success-Report', 'yes')];
    const refused = carol.chunk({ messageId: 'forged', body: chatLine('Hello'), headers });
    const taken = carol.chunk({ messageId: 'own', body: chatLine('Hello', 'carol'), headers });
    await settled();
    expect([refused, taken].map((id) => carol.answers.get(id))).toEqual([403, 200]);
    expect(carol.reports).toHaveLength(1);
    expect(carol.reports[0]?.toPath).toEqual(['msrp://relay.example.com:2855/r;tcp', 'msrp://127.0.0.1:9/carol;tcp']);
    expect(carol.responses.at(-1)?.toPath).toEqual(['msrp://relay.example.com:2855/r;tcp']);
  });

  test('CC-159 CC-160 CC-184 a REPORT is not answered, not passed on, and ignored when it is about nothing', async () => {
    bob.report('unknown', '000 413 Too large');
    bob.report('unknown', 'nonsense');
    bob.answer = () => 'none';
    alice.chunk({ messageId: 'short', body: chatLine('Hello') });
    await settled();
    bob.report(msrpHeader(bob.sends[0] ?? expect.fail(), 'Message-ID') ?? '', '000 200 OK');
    await settled();
    expect(bob.answers.has('report')).toBe(false);
    expect(alice.requests).toEqual([]);
  });

  test('CC-160 a REPORT on another connection than the message went is ignored', async () => {
    const ted = room.join('ted');
    bob.answer = () => 'none';
    alice.chunk({ messageId: 'short', body: chatLine('Hello') });
    await settled();
    const messageId = msrpHeader(bob.sends[0] ?? expect.fail(), 'Message-ID') ?? '';
    ted.report(messageId, '000 408 Timeout', { toPath: bob.peerPath });
    await settled();
    room.report();
    expect(room.told).toEqual([]);
  });

  test('a failure that a relay reports is told of its receiver', async () => {
    bob.answer = () => 'none';
    alice.chunk({ messageId: 'short', body: chatLine('Hello') });
    await settled();
    bob.report(msrpHeader(bob.sends[0] ?? expect.fail(), 'Message-ID') ?? '', '000 408 Timeout');
    await settled();
    room.report();
    expect(room.told).toMatchObject([{ deliveries: [{ endpointId: 'bob', outcome: 'failed', status: 408 }] }]);
  });
});

describe('what comes again (RFC 4975 5.4)', () => {
  test('is acknowledged and not shown twice, also in another session of the endpoint', async () => {
    const headers = [{ name: 'Success-Report', value: 'yes' }];
    alice.chunk({ messageId: 'again', body: chatLine('Hello') });
    const second = alice.chunk({ messageId: 'again', body: chatLine('Hello'), headers });
    const chunk = alice.chunk({ messageId: 'again', body: chatLine('Hello').subarray(0, 9), flag: '+' });
    await settled();
    expect([second, chunk].map((id) => alice.answers.get(id))).toEqual([200, 200]);
    expect(alice.reports).toHaveLength(1);
    room.close(room.sessions.byEndpointId('alice'));
    const anew = room.join('alice');
    const third = anew.chunk({ messageId: 'again', body: chatLine('Hello') });
    await settled();
    expect(anew.answers.get(third)).toBe(200);
    expect(bob.messages).toHaveLength(1);
  });

  test.each([
    ['in chunks', [10_000, 20_000, 30_000]],
    ['in long ones', [12_000, 30_000]],
  ])('%s, as after answers that were lost, is reported again at its end', async (_, ends) => {
    const content = longLine(30_000);
    const headers = [{ name: 'Success-Report', value: 'yes' }];
    const said = (): readonly string[] =>
      ends.map((end, i) => {
        const start = ends[i - 1] ?? 0;
        const flag = end === 30_000 ? '$' : '+';
        const range = `${start + 1}-*/30000`;
        return alice.chunk({ messageId: 'long', body: content.subarray(start, end), range, flag, headers });
      });
    const first = said();
    await settled();
    const again = said();
    await settled();
    expect([...first, ...again].map((id) => alice.answers.get(id))).toEqual([...ends, ...ends].map(() => 200));
    const ranges = alice.reports.map((report) => msrpHeader(report, 'Byte-Range'));
    expect(ranges).toEqual(['1-30000/30000', '1-30000/30000']);
    expect(bob.messages).toEqual([shortOf(content)]);
  });

  test('a last chunk alone is reported, one in the middle of the message is not', async () => {
    const headers = [{ name: 'Success-Report', value: 'yes' }];
    const content = longLine(3_000);
    alice.chunk({ messageId: 'again', body: content });
    alice.chunk({ messageId: 'again', body: content.subarray(0, 2_000), range: '1-*/3000', flag: '+', headers });
    await settled();
    expect(alice.reports).toEqual([]);
    alice.chunk({ messageId: 'again', body: content.subarray(2_000), range: '2001-*/3000', headers });
    await settled();
    expect(alice.reports.map((report) => msrpHeader(report, 'Byte-Range'))).toEqual(['1-3000/3000']);
  });

  test('after it was refused is judged anew when it is whole', async () => {
    const first = alice.chunk({ messageId: 'again', body: chatLine('Hello', 'bob') });
    const second = alice.chunk({ messageId: 'again', body: chatLine('Hello') });
    await settled();
    expect([first, second].map((id) => alice.answers.get(id))).toEqual([403, 200]);
  });

  test('after too many others, or after its sender has left, is a new one', async () => {
    alice.chunk({ messageId: 'again', body: chatLine('Hello') });
    for (let i = 0; i < limits.completedMessagesMax; i += 1)
      alice.chunk({ messageId: `m-${i}`, body: chatLine('other') });
    alice.chunk({ messageId: 'again', body: chatLine('Hello') });
    await settled();
    expect(bob.messages).toHaveLength(limits.completedMessagesMax + 2);
    room.route(['bob']);
    room.route(['alice', 'bob']);
    alice.chunk({ messageId: 'again', body: chatLine('Hello') });
    await settled();
    expect(bob.messages).toHaveLength(limits.completedMessagesMax + 3);
  });
});
