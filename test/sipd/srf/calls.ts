/** Calls between a peer and drachtio-srf, up to where a story begins. */
import { within } from '../../support/wait.ts';
import { type Peer, tag } from '../peer.ts';
import { askedFor, type CallOptions, type Dialog, described, type Library, ofSdp } from './library.ts';

/** A call a peer has made to the application: the tag of the application, and its dialog. */
export type Call = { readonly toTag: string; readonly dialog: Dialog };

/** The peer calls, the application takes the call, the ACK has been sent. */
export async function callIn(library: Library, peer: Peer, headers: Record<string, string> = {}): Promise<Call> {
  const invites = askedFor(library, 'invite');
  peer.send(peer.request('INVITE', { body: described(), more: ofSdp }));
  const { request, response } = await invites.next();
  const making = library.createUAS(request, response, { localSdp: described(), headers });
  const toTag = tag((await peer.next('SIP/2.0 200')).text, 'To');
  peer.send(peer.request('ACK', { toTag }));
  return { toTag, dialog: await within('the dialog', making) };
}

/** The application calls and the peer takes the call, with a tag of its name. */
export async function callOut(library: Library, peer: Peer, options: CallOptions = {}): Promise<Dialog> {
  const headers = { 'Call-ID': `to-${peer.name}`, 'From': '<sip:focus@localhost>;tag=ours', ...options.headers };
  const calling = library.createUAC(peer.uri, { localSdp: described(), ...options, headers });
  const invite = await peer.next('INVITE ');
  peer.answer(invite, '200 OK', { toTag: peer.name, body: described(), more: ofSdp });
  await peer.next('ACK ');
  return within('the dialog', calling);
}

/** The fields of a request of the peer in a call of `callOut`. */
export function inCallOut(peer: Peer, cseq: number): { callId: string; fromTag: string; toTag: string; cseq: number } {
  return { callId: `to-${peer.name}`, fromTag: peer.name, toTag: 'ours', cseq };
}

/** The application hangs up. */
export async function hangUp(dialog: Dialog, peer: Peer): Promise<void> {
  const ending = dialog.destroy();
  peer.answer(await peer.next('BYE '), '200 OK');
  await within('the end', ending);
}
