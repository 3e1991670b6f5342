/** `npm run demo` as a person runs it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { endWithUs } from '../support/children.ts';
import { drawLadder } from './ladder-drawing.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

test('the demo prints the ladder of Appendix M with Bob’s Replaces, the roster and the chat, and leaves nothing behind', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'isfocus-demo-'));
  const env = { ...process.env, TMPDIR: folder };
  const demo = endWithUs(
    spawn(process.execPath, ['--import', 'tsx', 'test/demo/demo.ts'], {
      cwd: root,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    }),
  );
  let output = '';
  for (const stream of [demo.stdout, demo.stderr])
    stream?.on('data', (bytes: Buffer) => (output += bytes.toString('utf8')));
  const [code] = await once(demo, 'close');

  expect(output).toMatch(/Replaces: [^;]+;to-tag=[^;]+;from-tag=[^; ]+/);
  expect(output.match(/Replaces:/g)).toHaveLength(1);
  expect(output).toMatch(/Contact: <sip:[^>]+>;isfocus/);
  expect(output).toMatch(/^ {2}Alice {2}connected .*\n {2}Bob {4}connected .*\n {2}Ted {4}connected .*$/m);
  // What is told in part is drawn as the roster that Alice then has.
  const told = output.match(/NOTIFY (?:full|partial|deleted)/g);
  expect(told?.filter((each) => each !== 'NOTIFY partial')).toEqual(['NOTIFY full', 'NOTIFY deleted']);
  expect(output.match(/alice \S+, bob \S+, ted \S+/g)?.at(-1)).toBe('alice connected, bob connected, ted connected');
  for (const line of ['Welcome, Ted.', 'Good to see you!', 'Hello, both of you.'])
    expect(output.split(`“${line}”`)).toHaveLength(4);
  expect(code, output).toBe(0);
  // tsx keeps a cache of its own beside what is temporary.
  expect((await readdir(folder)).filter((name) => !name.startsWith('tsx-'))).toEqual([]);
  await rm(folder, { recursive: true });
}, 120_000);

test('a ladder has a lane for each party, an arrow for each message, a note beside its arrow', () => {
  const drawing = drawLadder(
    ['A', 'B'],
    [
      { kind: 'heading', text: '1. A calls B.' },
      { kind: 'arrow', from: 'A', to: 'B', label: 'INVITE', style: 'sip' },
      { kind: 'note', at: 'A', text: 'with an offer' },
      { kind: 'arrow', from: 'B', to: 'A', label: '200 OK', style: 'msrp' },
    ],
  );
  expect(drawing).toBe(
    [
      '              A                             B',
      '               |                             |',
      '1. A calls B.',
      '               |                             |',
      '               |--------- INVITE ----------->|',
      '               |    with an offer            |',
      '               |<~~~~~~~~~~ 200 OK ~~~~~~~~~~|',
    ].join('\n'),
  );
});
