/** The answer every measured server gives to a call. */
export const sdp = [
  'v=0',
  'o=bench 1 1 IN IP4 127.0.0.1',
  's=-',
  'c=IN IP4 127.0.0.1',
  't=0 0',
  'm=message 2855 TCP/MSRP *',
  'a=accept-types:message/cpim',
  'a=path:msrp://127.0.0.1:2855/bench;tcp',
  '',
].join('\r\n');
