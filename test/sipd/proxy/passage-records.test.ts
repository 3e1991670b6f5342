import { expect, test } from 'vitest';
import type { StackWorld } from '../stack-world.ts';
import { answered, asked, got, inCall, type Scene, scene, toBob, toCarol, values } from './proxying.ts';

/** Frames of records: kind, source, role or reason, and the first line of the message. */
function records(world: StackWorld): string[] {
  return world.frames.flatMap(({ payload }) => {
    const [meta = '', line = ''] = payload.split('\r\n');
    const [, kind = '', source, , ...rest] = meta.split('|');
    return kind.startsWith('cdr:') ? [[kind, source, ...rest, line.replace(/ SIP\/2\.0$/, '')].join(' ')] : [];
  });
}

function recorded(): Scene {
  const stage = scene();
  stage.world.application(2, 'cdr:attempt', 'cdr:start', 'cdr:stop');
  return stage;
}

test('a call that goes through us is one with the caller and one with each target', () => {
  const stage = recorded();
  const { world, alice, bob, carol } = stage;
  asked(stage, [toBob, toCarol], { remainInDialog: true });
  world.answers(bob, got(world, bob, 'INVITE'), '486 Busy Here');
  const invite = got(world, carol, 'INVITE');
  world.answers(carol, invite, '200 OK');
  world.answers(carol, invite, '200 OK');
  const routes = values(answered(world, alice), 'Record-Route');
  const bye = { uri: 'sip:carol@10.0.0.3', routes, toTag: 'carol' };
  world.receive(alice, inCall(alice, 'BYE', bye));
  world.answers(carol, got(world, carol, 'BYE'), '401 Unauthorized');
  world.receive(alice, inCall(alice, 'BYE', { ...bye, cseq: 3 }));
  world.answers(carol, got(world, carol, 'BYE'), '200 OK');
  expect(records(world)).toEqual([
    'cdr:attempt network INVITE sip:focus@10.0.0.9',
    'cdr:attempt application INVITE sip:10.0.0.2',
    'cdr:stop network call-rejected SIP/2.0 486 Busy Here',
    'cdr:attempt application INVITE sip:10.0.0.3',
    'cdr:start network proxy-uac SIP/2.0 200 OK',
    'cdr:start application proxy-uas SIP/2.0 200 OK',
    'cdr:stop network normal-release BYE sip:carol@10.0.0.3',
    'cdr:stop application normal-release BYE sip:carol@10.0.0.3',
  ]);
});

test('a caller who hangs up, and a target that never says anything', () => {
  const stage = recorded();
  const { world, alice, bob } = stage;
  asked(stage, [toBob, toCarol], { parallel: true, request: { branch: 'z9hG4bKc' } });
  const invite = got(world, bob, 'INVITE');
  world.answers(bob, invite, '180 Ringing');
  world.asks(alice, 'CANCEL', { branch: 'z9hG4bKc' });
  world.answers(bob, invite, '487 Request Terminated');
  world.pass(32_000);
  expect(records(world)).toEqual([
    'cdr:attempt network INVITE sip:focus@10.0.0.9',
    'cdr:attempt application INVITE sip:10.0.0.2',
    'cdr:attempt application INVITE sip:10.0.0.3',
    'cdr:stop network call-canceled SIP/2.0 487 Request Terminated',
    'cdr:stop network call-rejected SIP/2.0 408 Request Timeout',
    'cdr:stop application call-canceled SIP/2.0 487 Request Terminated',
  ]);
});

test('a MESSAGE is no call', () => {
  const stage = recorded();
  const { world, bob } = stage;
  asked(stage, [toBob], { method: 'MESSAGE' });
  world.answers(bob, got(world, bob, 'MESSAGE'), '200 OK');
  expect(records(world)).toEqual([]);
});
