#!/bin/bash
# SPDX-License-Identifier: MIT
# What the authority issues and signs, in the eyes of stock openssl; and an outside CA with the
# profiles of certs/.
. "$(dirname "$0")/lib.sh"

source_of() { sed -n "s/.*\"$1\": *\"\([^\"]*\)\".*/\1/p" "$2"; }
# Extensions and their order, without the key identifiers' values.
extensions() { openssl x509 -in "$1" -noout -ext "$2" | grep -v -E '^ +([0-9A-F]{2}:)+[0-9A-F]{2} *$'; }
same_extensions() {
    local all=subjectKeyIdentifier,authorityKeyIdentifier,basicConstraints,keyUsage,extendedKeyUsage
    equal "$(extensions "$1" $all)" "$(extensions "$2" $all)" &&
        equal "$(openssl x509 -in "$1" -noout -text | grep -c X509v3.*:)" "$(openssl x509 -in "$2" -noout -text | grep -c X509v3.*:)"
}

"$ROOT/certs/make-test-authority.sh" "$C" "$BIN" >"$C/env" || die "no test authority"
# shellcheck disable=SC1091
. "$C/env"
check "the test authority has a published directory" test -s "$CHASKI_DIRECTORY/checkpoint"

mkdir "$C/agency"
"$BIN/chaski" keys make --folder "$C/agency/keys" --server CO/GOV/899999027/SS1 --name "DANE" \
    --address tcp://127.0.0.1:5500 --request "$C/agency/request.json" >/dev/null || die "no keys"
registry member add CO/GOV/899999027 --name "DANE" --public >/dev/null || die "no member"
registry server add "$C/agency/request.json" --certificate-to "$C/agency/ours.crt" >/dev/null || die "no certificate"

check "stock openssl trusts what the authority issued" \
    openssl verify -CAfile "$CHASKI_TRUST" "$C/agency/ours.crt"

# an outside CA
cp "$ROOT"/certs/profiles/*.cnf "$C/agency/" && cd "$C/agency" || die "no profiles"
mkdir issued && : >issued/index.txt
openssl ecparam -name prime256v1 -genkey -noout -out ca.key
check "the CA profile works" openssl req -new -x509 -config ca.cnf -key ca.key -sha256 -days 7300 -out ca.crt
source_of certificate_request request.json | base64 -d >request.der
openssl req -inform DER -in request.der -out request.csr
check "the signing profile works" openssl ca -batch -notext -config sign.cnf -in request.csr \
    -subj '/C=CO/O=DANE/serialNumber=CO\/GOV\/899999027/CN=SS1' -out theirs.crt
check "a CA made with the profile shows our extensions" same_extensions "$C/store/ca.pem" ca.crt
check "a certificate made with the profile shows our extensions" same_extensions ours.crt theirs.crt
check "and the same subject" equal "$(openssl x509 -in ours.crt -noout -subject)" "$(openssl x509 -in theirs.crt -noout -subject)"
openssl ecparam -name prime256v1 -genkey -noout -out stamp.key
openssl req -new -key stamp.key -subj /CN=ignored -out stamp.csr
check "the time stamp profile works" openssl ca -batch -notext -config stamp.cnf -in stamp.csr \
    -subj '/C=CO/O=Autoridad de prueba/serialNumber=CO\/AUTHORITY\/TSA/CN=tsa' -out stamp.crt
check "a time stamp certificate made with the profile shows our extensions" \
    same_extensions "$C/store/stamp/stamp.pem" stamp.crt
check "and the same subject" \
    equal "$(openssl x509 -in "$C/store/stamp/stamp.pem" -noout -subject)" "$(openssl x509 -in stamp.crt -noout -subject)"
cd "$ROOT" || die "no root"

# a key belongs to one certificate: the outside CA's comes with a second server
"$BIN/chaski" keys make --folder "$C/agency/keys2" --server CO/GOV/899999027/SS2 --name "DANE" \
    --address tcp://127.0.0.1:5501 --request "$C/agency/request2.json" >/dev/null || die "no keys"
source_of certificate_request "$C/agency/request2.json" | base64 -d >"$C/agency/request2.der"
openssl req -inform DER -in "$C/agency/request2.der" -out "$C/agency/request2.csr"
# ... which has a name of its own: by that of the profile the country's is known
(cd "$C/agency" && sed '/^serialNumber/d; s/^O = .*/O = Certificadora de prueba/' ca.cnf >outside.cnf &&
    openssl ecparam -name prime256v1 -genkey -noout -out ca.key &&
    openssl req -new -x509 -config outside.cnf -key ca.key -sha256 -days 7300 -out ca.crt 2>/dev/null) || die "no outside CA"
(cd "$C/agency" && openssl ca -batch -notext -config sign.cnf -in request2.csr \
    -subj '/C=CO/O=DANE/serialNumber=CO\/GOV\/899999027/CN=SS2' -out theirs2.crt 2>/dev/null) || die "no certificate"
registry certificate-authority add PRUEBA --certificate "$C/agency/ca.crt" --crl http://127.0.0.1:1/ca.crl >/dev/null || die "no authority"
check "a server enters with a certificate of an outside CA" registry server add "$C/agency/request2.json" \
    --certificate "$C/agency/theirs2.crt"
refused() { ! "$@"; }
check "but not with one of another key" refused registry server add "$C/agency/request2.json" \
    --certificate "$C/agency/ours.crt"
check "the directory is published again" registry publish --to "$CHASKI_DIRECTORY"

# every act, with stock tools only
bundle=$(ls -t "$CHASKI_DIRECTORY"/tile/entries/000.p/* | head -n 1)
verified=0
for ((at = 0, size = $(stat -c %s "$bundle"); at < size; at += 2 + length)); do
    length=$((16#$(xxd -s "$at" -l 2 -p "$bundle")))
    tail -c +$((at + 3)) "$bundle" | head -c "$length" >"$C/entry"
    openssl cms -verify -cades -inform DER -in "$C/entry" -certfile "$CHASKI_DIRECTORY/authority.pem" \
        -CAfile "$CHASKI_TRUST" -purpose any -out "$C/act" 2>"$C/check.out" && verified=$((verified + 1))
done
check "stock openssl verifies each act of the directory" equal "$verified" "$(basename "$bundle")"
contents() { protoc --decode=chaski.Act "$ROOT/proto/directory.proto" --proto_path="$ROOT/proto" <"$C/act"; }
check "and protoc reads it" contains "$(contents)" "valid_until_ms"

check "no private key stands in the published folder" refused grep -rq "PRIVATE KEY" "$CHASKI_DIRECTORY"
finish
