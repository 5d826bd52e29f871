#!/bin/bash
# SPDX-License-Identifier: MIT
# The served authority asks outside authorities by itself, and when an operator wants it: what they revoke is
# published and pushed without anybody; a round that ends badly costs that round and nothing else.
. "$(dirname "$0")/lib.sh"
OUTSIDE=$ROOT/tests/tools/outside_ca.sh
CA=$C/outside
country_make >/dev/null
outside() { "$OUTSIDE" "$CA" "$@"; }
outside make || die "no outside authority"
refused() { ! "$@"; }

# --- two servers with certificates of an outside authority -------------------------------------------
ocsp_port=$(free_port)
ocsp_pid=
responder() { # starts it (again): it reads at its start what there is to say
    [ -z "$ocsp_pid" ] || { kill "$ocsp_pid"; wait "$ocsp_pid" 2>/dev/null; }
    "$OUTSIDE" "$CA" serve "$ocsp_port" >"$C/ocsp.log" 2>&1 &
    ocsp_pid=$!
    pids+=("$ocsp_pid")
    wait_for 5 grep -q "waiting for OCSP" "$C/ocsp.log" || die "no responder: $(cat "$C/ocsp.log")"
}
agency() { # NAME MEMBER
    registry member add "$2" --name "Entidad $1" >/dev/null || die "no member"
    mkdir -p "$C/$1"
    "$BIN/chaski" keys make --folder "$C/$1/keys" --server "$2/SS1" --name "Entidad $1" --address "tcp://127.0.0.1:7001" \
        --request "$C/$1/request.json" >/dev/null || die "no keys"
    jq -r .certificate_request "$C/$1/request.json" | base64 -d | openssl req -inform DER -out "$C/$1/request.csr"
    SUBJECT="/C=CO/O=Entidad $1/OU=Sistemas/CN=Sello de $1" outside issue "$C/$1/request.csr" "$C/$1/outside.pem" sign
    registry server add "$C/$1/request.json" --certificate "$C/$1/outside.pem" --certificate-to "$C/$1/issued.crt" >/dev/null ||
        die "no server $1"
}
authority() { registry certificate-authority add EXTERNA --certificate "$CA/chain.pem" --ocsp "$1" "${@:2}" >/dev/null || die "no authority"; }
authority "http://127.0.0.1:$ocsp_port"
agency a CO/GOV/1
agency b CO/GOV/2
agency c CO/GOV/3
for who in ana blas eva; do
    "$BIN/chaski-registry" operator key "$C/$who.key" >"$C/$who.pub" || die "no key"
done
registry operator add eva --name eva --key "$(cat "$C/eva.pub")" --role audit >/dev/null || die "no operator"
for who in ana blas; do
    registry operator add $who --name $who --key "$(cat "$C/$who.pub")" --role enrol --role approve >/dev/null || die "no operator"
done
responder

# --- by itself -----------------------------------------------------------------------------------------
serve() { # OPTIONS
    rm -f "$C/ready"
    "$BIN/chaski-registry" serve "$C/store" --listen 127.0.0.1:0 --directory "$C/directory" --authority \
        --admin 127.0.0.1:0 --ready-file "$C/ready" "$@" 2>>"$C/serve.events" &
    pid=$!
    pids+=($pid)
    wait_for 20 test -s "$C/ready" || die "it does not start: $(tail -n 1 "$C/serve.events")"
    url=http://$(sed -n 's/^listen=//p' "$C/ready")
    admin=https://$(sed -n 's/^admin=//p' "$C/ready")
}
halt() { kill "$pid"; wait "$pid"; }
at() { "$BIN/chaski-registry" "${@:2}" --at "$admin" --anchor "$C/chaski.anchor" --as "$C/$1.key"; }
shows_revoked() { registry show | grep -q "REVOKED since"; }
serve --statuses 1
"$BIN/chaski-registry" anchor "$C/store" --url "$url" --to "$C/chaski.anchor" >/dev/null || die "no anchor"
print_of() { openssl x509 -in "$C/$1/outside.pem" -outform DER | sha256sum | cut -c 1-64; }
check "it asks by itself, and publishes the answers" wait_for 10 grep -q "^$(print_of a)/" "$C/directory/status/index"
check "what nobody revoked stays" refused contains "$(registry show)" "REVOKED since"
published() { grep -c '"directory.published"' "$C/serve.events"; }
is_published_since() { [ "$(published)" -gt "$1" ]; }
before=$(published)
outside revoke "$C/a/outside.pem" keyCompromise
responder
check "what its authority revokes becomes an act" wait_for 15 shows_revoked
check "... of that certificate alone" equal "$(registry show | grep -c 'REVOKED since')" 1
check "... and is published" wait_for 10 is_published_since "$before"
check "... with the reason" grep -q '"status.revoked".*keyCompromise' "$C/serve.events"
check "the store's own command is not for a store that is served" contains \
    "$("$BIN/chaski-registry" statuses "$C/store" 2>&1)" "statuses --at"
halt

# --- when an operator wants it ------------------------------------------------------------------------
serve --statuses 86400
check "an operator has it done now" contains "$(at ana statuses)" "2 asked for, 2 good, 0 revoked"
outside revoke "$C/b/outside.pem" superseded
responder
said=$(at blas statuses)
check "... and hears what was revoked" contains "$said" "2 asked for, 1 good, 1 revoked"
check "... and that it stands in the directory" contains "$said" "in the directory now: 1"
check "... which it does" equal "$(registry show | grep -c 'REVOKED since')" 2
check "again it is not done twice" contains "$(at ana statuses)" "1 asked for, 1 good, 0 revoked"
check "who may only look may not have it done" contains "$(at eva statuses 2>&1)" "may look and not act"
check "the registry knows where it publishes" contains "$(at ana statuses --to "$C/x" 2>&1)" "goes with a STORE"
kill "$ocsp_pid"; wait "$ocsp_pid" 2>/dev/null; ocsp_pid=
said=$(at ana statuses)
check "a responder that is away is no revocation" contains "$said" "0 revoked, 0 unknown, 1 without an answer"
check "... and is told of" grep -q '"status.unanswered"' "$C/serve.events"

# --- a round that ends badly --------------------------------------------------------------------------
curl_at() { # OPERATOR PATH
    [ -s "$C/$1.crt" ] || openssl req -new -x509 -key "$C/$1.key" -subj "/CN=$1" -days 1 -out "$C/$1.crt" 2>/dev/null
    curl -sS --max-time 20 --cacert "$C/store/anchor/trust.pem" --cert "$C/$1.crt" --key "$C/$1.key" "$admin$2"
}
responder

kill -STOP "$ocsp_pid" # the system takes what is sent to it, and nobody answers
descendants() { local p; for p in $(pgrep -P "$1"); do echo "$p"; descendants "$p"; done; }
asking() { local p; for p in $(descendants "$pid"); do [ "$(cat "/proc/$p/comm")" = chaski-statuses ] && [ -z "$(pgrep -P "$p")" ] && grep -q '^Seccomp:	2' "/proc/$p/status" && echo "$p"; done; }
asks() { [ -n "$(asking)" ]; }
at ana statuses >"$C/killed" 2>&1 &
waits=$!
check "who asks is in a jail of its own" wait_for 10 asks
child=$(asking)
lines() { ls -l "/proc/$child/fd" | sed -n 's/.*socket:\[\(.*\)\].*/\1/p' | grep -cwFf - <(awk '$5 == "0005" { print $7 }' /proc/net/unix); }
check "... and has no line to any other process" equal "$(lines)" 0
check "who may only look sees the round" contains "$(curl_at eva /admin/v1/statuses | jq -c '[.running, .every_s]')" "[true,86400]"
kill -9 "$child"
wait $waits
kill -CONT "$ocsp_pid"
check "a round that was killed is told to who waits for it" contains "$(cat "$C/killed")" "could not be asked for"
check "... and the registry goes on" equal "$(curl -s "$url/healthz")" ok
check "... and asks again" contains "$(at blas statuses)" "1 asked for"
halt
finish
