#!/bin/sh
# Makes the certificates of this folder, valid from 2020 to 2120. Run it here; nobody needs the authority's key afterwards.
set -eu
work=$(mktemp -d)
touch "$work/index"
cat >"$work/config" <<END
[ca]
default_ca = this
[this]
new_certs_dir = $work
database = $work/index
unique_subject = no
rand_serial = yes
default_md = sha256
policy = any
[any]
commonName = supplied
END
# sign <file> <common name> <extensions> [options of openssl ca]
sign() {
  file=$1 name=$2
  printf '%b' "$3" >"$work/extensions"
  shift 3
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$name" \
    -keyout "$file-key.pem" -out "$work/request"
  openssl ca -batch -notext -config "$work/config" -extfile "$work/extensions" -in "$work/request" -out "$file.pem" \
    -startdate 20200101000000Z -enddate 21200101000000Z "$@"
}
server() {
  sign "$1" "$2" "subjectAltName=$3\nextendedKeyUsage=serverAuth,clientAuth\nbasicConstraints=critical,CA:FALSE\n" \
    -cert authority.pem -keyfile authority-key.pem
}
local=DNS:localhost,IP:127.0.0.1,IP:::1
sign authority 'Test authority' 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n' \
  -selfsign -keyfile authority-key.pem
server server 'first server' "$local,DNS:sip.example.com,DNS:*.wild.example.com"
server second 'second server' "$local"
server domain 'domain server' 'DNS:host.example.com,URI:sip:example.com'
rm -r authority-key.pem "$work"
