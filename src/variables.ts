/** Every variable with its default and meaning; README's table is checked against it. `src/config.ts` reads them. */
export const variables = [
  { name: 'HTTP_HOST', default: '127.0.0.1', meaning: 'address of the REST API' },
  { name: 'HTTP_PORT', default: '8080', meaning: 'port of the REST API; `0` picks a free one, as for every port' },
  {
    name: 'API_KEY',
    default: 'made at first start',
    meaning:
      'an admin key given from outside, at least 24 characters; without one a key is made, printed once, and only its hash kept',
  },
  {
    name: 'SIP_HOST',
    default: '127.0.0.1',
    meaning: 'addresses of the embedded SIP server, comma separated, IPv4 and IPv6; the first is the main one',
  },
  { name: 'SIP_PORT', default: '5060', meaning: 'its port for UDP and TCP' },
  { name: 'SIP_TLS_PORT', default: 'off', meaning: 'its port for TLS' },
  { name: 'SIP_WS_PORT', default: 'off', meaning: 'its port for WebSocket' },
  { name: 'SIP_WSS_PORT', default: 'off', meaning: 'its port for secure WebSocket' },
  {
    name: 'TLS_CERT',
    default: 'none',
    meaning:
      'file of the certificate and its chain, PEM, read again when it changes; demanded with any port for TLS or secure WebSocket',
  },
  { name: 'TLS_KEY', default: 'none', meaning: 'file of its private key, PEM; as `TLS_CERT`' },
  {
    name: 'SIP_PUBLIC_HOST',
    default: '`SIP_HOST`',
    meaning: 'what goes into Via and Contact when it differs; demanded when `SIP_HOST` is a wildcard',
  },
  {
    name: 'SIP_DOMAINS',
    default: '`SIP_HOST`',
    meaning:
      'domains whose identities are ours, comma separated; the first is used in new conference URIs, with the SIP port unless that is 5060 or the domain is a DNS name; demanded with `DRACHTIO_HOST` or a wildcard `SIP_HOST`',
  },
  { name: 'FACTORY_USER', default: 'conf-fact', meaning: 'the factory is `sip:FACTORY_USER@` any own domain' },
  {
    name: 'SIP_AUTH',
    default: '`open` on loopback, else `digest`',
    meaning:
      '`open`: From is believed; `digest`: only trusted peers are, and users of the REST API who give their password (401)',
  },
  {
    name: 'SIP_DIGEST',
    default: 'SHA-256, MD5',
    meaning:
      'algorithms of digest, the preferred one first; there are clients that look at the first only and know MD5 only',
  },
  {
    name: 'SIP_TRUSTED_PEERS',
    default: '`127.0.0.0/8,::1` on loopback, else none',
    meaning:
      'addresses and networks (`10.0.0.0/8`) of the SIP/IP core, comma separated: P-Asserted-Identity and P-Served-User are believed from there, and limits per source spare them',
  },
  {
    name: 'SIP_CORE',
    default: 'none',
    meaning: 'URI of the SIP/IP core, where every request to an address that is not ours goes',
  },
  {
    name: 'AUDIO',
    default: 'off',
    meaning:
      '`off` rejects audio lines; `inactive` accepts them without sound, so that softphones can be in the roster; a caller is asked by re-INVITE to agree',
  },
  {
    name: 'PRIVATE_TARGETS',
    default: '`allow` on loopback, else `refuse`',
    meaning: 'whether list URIs and MSRP paths may point at loopback or private addresses',
  },
  {
    name: 'CONSENT',
    default: 'off',
    meaning: '`on`: a list may invite only users whom the REST API knows to have agreed, else 470',
  },
  {
    name: 'CREATIONS_PER_MINUTE',
    default: '60',
    meaning:
      'conferences one user may make in a minute, and ten times as many people, at least 50, may be invited in it; `0`: no limit',
  },
  {
    name: 'END_POLICY',
    default: 'creator-leaves',
    meaning: 'when an ad-hoc conference ends: `creator-leaves`, `last-leaves` or `idle`',
  },
  { name: 'IDLE_SECONDS', default: '300', meaning: 'how long a conference may stand empty where it may at all' },
  { name: 'NICKNAMES', default: 'on', meaning: 'whether participants may give themselves nicknames' },
  { name: 'PRIVATE_MESSAGES', default: 'on', meaning: 'whether they may write to one another' },
  {
    name: 'HISTORY',
    default: 'off',
    meaning: 'what is kept of each message: nothing (`off`), what became of it (`facts`), or its words too (`content`)',
  },
  { name: 'HISTORY_DAYS', default: '30', meaning: 'how many days that is kept, at most 365' },
  { name: 'GREETING', default: 'off', meaning: '`on`: everybody is told the subject on coming in' },
  { name: 'ANNOUNCEMENTS', default: 'off', meaning: '`on`: all are told who has come and who has left' },
  {
    name: 'MSRP_TRANSPORT',
    default: 'any',
    meaning: '`tls`: who offers messages in the clear is refused them; it needs `MSRP_TLS_PORT`',
  },
  {
    name: 'NOTIFY_MIN_INTERVAL',
    default: '5',
    meaning: 'seconds between two NOTIFYs to one subscriber, at least; `0`: no limit',
  },
  {
    name: 'SESSION_EXPIRES',
    default: '1800, or `MIN_SE` if that is longer',
    meaning: 'seconds of the session timer that is asked for',
  },
  { name: 'MIN_SE', default: '90', meaning: 'the shortest session timer that is accepted, at least 90' },
  {
    name: 'NODE_ID',
    default: 'made at first start',
    meaning: 'which process owns the rows of a running conference; one process per `NODE_ID` and per `DATA_DIR`',
  },
  { name: 'LENIENT', default: 'true', meaning: 'accept the known mistakes of real clients; `false` is strict' },
  { name: 'SIPD_THREAD', default: 'main', meaning: '`worker` puts the embedded SIP server on a thread of its own' },
  { name: 'SIPD_MODE', default: 'free', meaning: '`strict` copies the limits of the real drachtio server' },
  {
    name: 'SIPD_SWITCHES',
    default: 'none',
    meaning:
      'single ways of the real server: `name` adds one to the mode, `-name` leaves one out; `docs/sipd.md` has them',
  },
  { name: 'DRACHTIO_HOST', default: 'none', meaning: 'use this drachtio server instead of the embedded one' },
  { name: 'DRACHTIO_PORT', default: '9022', meaning: 'its control port' },
  { name: 'DRACHTIO_SECRET', default: 'cymru', meaning: 'its secret' },
  { name: 'MSRP_HOST', default: '127.0.0.1', meaning: 'address of MSRP' },
  { name: 'MSRP_PORT', default: '2855', meaning: 'its port for TCP' },
  { name: 'MSRP_TLS_PORT', default: 'off', meaning: 'its port for TLS, with the certificate of `TLS_CERT`' },
  { name: 'MSRP_WS_PORT', default: 'off', meaning: 'its port for WebSocket (RFC 7977)' },
  { name: 'MSRP_WSS_PORT', default: 'off', meaning: 'its port for secure WebSocket' },
  {
    name: 'MSRP_PUBLIC_HOST',
    default: '`MSRP_HOST`',
    meaning: 'what goes into SDP and MSRP paths when it differs; demanded when `MSRP_HOST` is a wildcard',
  },
  {
    name: 'MSRP_MAX_SIZE',
    default: '10485760',
    meaning: 'octets of the longest message that is taken, and said in `a=max-size`; longer ones get 413',
  },
  {
    name: 'MSRP_SESSION_MATCH',
    default: 'id',
    meaning:
      'what of a To-Path must be ours: `id`, the session id, which nobody can guess, so that middleboxes may rewrite the host; `uri`, the whole URI by RFC 4975 6.1',
  },
  {
    name: 'MSRP_RELAY',
    default: 'none',
    meaning:
      'an MSRP relay that peers shall reach us through (RFC 4976), such as `msrps://relay.example.com:2855;tcp`; while it cannot be used we are not ready, and descriptions name us alone',
  },
  { name: 'MSRP_RELAY_USER', default: 'none', meaning: 'whom it knows us as; demanded with `MSRP_RELAY`' },
  { name: 'MSRP_RELAY_PASSWORD', default: 'none', meaning: 'our password there; demanded with `MSRP_RELAY`' },
  { name: 'DATABASE_URL', default: 'none', meaning: 'Postgres; without it an embedded database in `DATA_DIR`' },
  { name: 'DATA_DIR', default: './data', meaning: 'where the embedded database and generated secrets lie' },
  { name: 'LOG_LEVEL', default: 'info', meaning: '`fatal`, `error`, `warn`, `info`, `debug`, `trace` or `silent`' },
  { name: 'LOG_FORMAT', default: '`pretty` on a terminal, else `json`', meaning: '`pretty` or `json`' },
] as const;
