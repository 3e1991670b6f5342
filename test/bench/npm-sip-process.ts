/** The anchor: npm `sip`, a transaction stack in JavaScript, as a server that answers calls. Argument: its port. */

import { create, makeResponse } from 'sip';
import { sdp } from './answer.ts';
import { answerParent } from './usage.ts';

const port = Number(process.argv[2]);
let tags = 0;

const stack = create({ port, address: '127.0.0.1' }, (request) => {
  if (request.method === 'ACK') return;
  if (request.method === 'INVITE') {
    tags += 1;
    request.headers.to.params['tag'] = `t${tags}`;
  }
  const response = makeResponse(request, 200, 'OK');
  if (request.method === 'INVITE') {
    Object.assign(response.headers, {
      'contact': [{ uri: `sip:bench@127.0.0.1:${port}` }],
      'content-type': 'application/sdp',
    });
    response.content = sdp;
  }
  stack.send(response);
});
answerParent(port);
