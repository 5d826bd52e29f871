#!/bin/bash
# SPDX-License-Identifier: MIT
# An agency whose certificate an outside authority issues: `chaski enrol` gives out the request for it and sends
# nothing, goes on with what was issued, and two operators admit it; the node takes it up by itself.
. "$(dirname "$0")/lib.sh"
OUTSIDE=$ROOT/tests/tools/outside_ca.sh
CA=$C/outside
country_make >/dev/null
"$OUTSIDE" "$CA" make || die "no outside authority"
for who in ana blas; do
    "$BIN/chaski-registry" operator key "$C/$who.key" >"$C/$who.pub" || die "no key"
    registry operator add "$who" --name "$who" --key "$(cat "$C/$who.pub")" --role enrol --role approve >/dev/null || die "no operator"
done
"$BIN/chaski-registry" serve "$C/store" --listen 127.0.0.1:0 --directory "$C/directory" --authority --admin 127.0.0.1:0 \
    --statuses 86400 --ready-file "$C/ready" 2>>"$C/serve.events" &
pids+=($!)
wait_for 20 test -s "$C/ready" || die "the registry does not start: $(tail -n 1 "$C/serve.events")"
url=http://$(sed -n 's/^listen=//p' "$C/ready")
admin=https://$(sed -n 's/^admin=//p' "$C/ready")
"$BIN/chaski-registry" anchor "$C/store" --url "$url" --to "$C/chaski.anchor" >/dev/null || die "no anchor"
words=$("$BIN/chaski" anchor "$C/chaski.anchor" | sed -n 's/^fingerprint  //p')
at() { "$BIN/chaski-registry" "${@:2}" --at "$admin" --anchor "$C/chaski.anchor" --as "$C/$1.key"; }
(umask 077 && printf 'una frase bastante larga' >"$C/phrase")
S=CO/GOV/899999027/SS1
port=$(free_port)
enrol() { # OPTION...: what is said in $C/said
    timeout 60 "$BIN/chaski" enrol --anchor "$C/chaski.anchor" --folder "$C/b/keys" --passphrase "file:$C/phrase" "$@" >"$C/said" 2>&1 </dev/null
}
status_of() { local status=0; "$@" || status=$?; echo $status; }
said() { grep -c -- "$1" "$C/said"; }
waiting() { at ana requests --json | jq length; }
issue() { SUBJECT="/C=CO/O=Departamento Nacional/CN=Sello" "$OUTSIDE" "$CA" issue "$@"; } # CSR CERT PROFILE

# --- out --------------------------------------------------------------------------------------------
check "the request for an outside authority is given out, and nothing is sent" equal \
    "$(status_of enrol --server $S --name DANE --public --address "tcp://127.0.0.1:$port" --subsystem DIVIPOLA=Divipola \
        --fingerprint "$words" --audit "$C/b/audit" --request-out "$C/b.csr") $(said 'nothing was sent') $(waiting)" "3 1 0"
check "... as PKCS#10, proven with the key" openssl req -in "$C/b.csr" -verify -noout
check "... whose key is sealed" equal "$(grep -L ENCRYPTED "$C"/b/keys/*.key)" ""
sum=$(sha256sum "$C"/b/keys/*.key)
check "without the certificate it waits on" equal "$(status_of enrol) $(said 'waits for the outside authority') $(waiting)" "3 1 0"
cp "$C/b.csr" "$C/first.csr"
check "the request is given out again, the same" equal "$(status_of enrol --request-out "$C/b.csr") $(cmp "$C/b.csr" "$C/first.csr" && echo same)" "3 same"

# --- in ---------------------------------------------------------------------------------------------
"$OUTSIDE" "$CA" key "$C/other" /CN=Otra || die "no other key"
issue "$C/other.csr" "$C/other.pem" sign || die "no certificate"
check "a certificate of another key is refused" equal "$(status_of enrol --certificate "$C/other.pem") $(said "is not the certificate of this server's signing key")" "1 1"
issue "$C/b.csr" "$C/web.pem" server || die "no certificate"
check "one for web servers, too" equal "$(status_of enrol --certificate "$C/web.pem") $(said 'may not sign documents')" "1 1"
issue "$C/b.csr" "$C/b.pem" sign || die "no certificate"
check "a chain without a certificate is no command" equal "$(status_of enrol --chain "$CA/chain.pem")" 2
check "an authority that nobody trusts is told of at once" equal \
    "$(status_of enrol --certificate "$C/b.pem" --chain "$CA/chain.pem") $(said 'of no authority that the directory trusts') $(waiting)" "1 1 0"
said=$(at ana certificate-authority add EXTERNA --certificate "$CA/chain.pem" --ocsp "http://127.0.0.1:$(free_port)/")
at blas approve "${said:0:16}" --yes >/dev/null || die "no outside authority"
check "once it is trusted, the same goes on" equal "$(status_of enrol --certificate "$C/b.pem" --chain "$CA/chain.pem") $(said 'waiting: no operator') $(waiting)" "3 1 1"
id=$(sed -n 's/^request //p' "$C/said")
check "... with the keys of the beginning" equal "$(sha256sum "$C"/b/keys/*.key)" "$sum"
check "... and what was wished then" equal "$(at ana request show "$id" | jq -r '.request | "\(.server) \(.organisation) \(.subsystems[0].code) \(.certificates | length)"')" "$S DANE DIVIPOLA 3"
check "operators read whom the certificate names" contains "$(at ana requests)" \
    "LOOK: its certificate is of the outside authority EXTERNA and names \"Departamento Nacional\""
check "the question how it stands needs no certificate" equal "$(status_of enrol) $(sed -n 's/^request //p' "$C/said")" "3 $id"
check "the country's certificate is not asked for beside it" equal "$(status_of enrol --request-out "$C/x.csr") $(said 'anew')" "1 1"

# --- approved ---------------------------------------------------------------------------------------
cat >"$C/b/server.conf" <<E
server = "$S"
keys_folder = "$C/b/keys"
keys_passphrase = "file:$C/phrase"
audit_folder = "$C/b/audit"
anchor_file = "$C/chaski.anchor"
directory_poll_ms = 500
front = "ipc://$C/b/front"
mesh_listen = {"tcp://127.0.0.1:$port"}
ready_file = "$C/b/server.ready"
wal_segment_mib = 4
start_check_ms = 600
E
"$BIN/chaski-security-server" --config "$C/b/server.conf" 2>>"$C/b/server.events" &
pids+=($!)
at ana request prepare "$id" >/dev/null || die "not prepared"
at ana approve "$id" --yes >/dev/null
said=$(at blas approve "$id" --yes)
check "two operators admit it" equal "$(grep -c 'carried out' <<<"$said") $(status_of enrol)" "3 0"
check "the node takes its certificate and serves" wait_for 40 test -s "$C/b/server.ready"
check "... that of the outside authority" equal "$(openssl x509 -in "$C/b/keys/sign.crt" -noout -fingerprint)" "$(openssl x509 -in "$C/b.pem" -noout -fingerprint)"
finish
