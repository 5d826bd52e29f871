#!/bin/bash
# SPDX-License-Identifier: MIT
# The country's own CA is renewed while nodes run: a second one is trusted by an act and issues from then on; what
# the first one issued stays good, and nobody is given a new anchor.
. "$(dirname "$0")/lib.sh"
PEER=$OUT/tests/front_peer
CHECKPOINT_MS=200
PUBLISH_MS=300
country_make >/dev/null
refused() { ! "$@"; }
issued_by() { openssl verify -partial_chain -purpose any -CAfile "$C/store/$2" "$C/$1/keys/sign.crt" >/dev/null 2>&1; }
B=CO/GOV/899999027
member_make a CO/MUN/890905211/SS1 "Medellín" TRAMITES >/dev/null
member_make b $B/SS1 "DANE" DIVIPOLA >/dev/null
S=$B/DIVIPOLA/uno
registry service add $S --class open >/dev/null || die "no service"
publish
anchor=$(sha256sum "$C/store/anchor/trust.pem")
server_start a || die "server a: $(tail -n 1 "$C/a/server.events")"
server_start b || die "server b: $(tail -n 1 "$C/b/server.events")"
"$PEER" serve "ipc://$C/b/front" $B/DIVIPOLA 2>/dev/null &
pids+=($!)
wait_for 5 grep -q front.gateway_arrived "$C/b/server.events" || die "no stand-in gateway"
ask() { timeout 20 "$PEER" ask "ipc://$C/$1/front" "$2" $S 1 1 2>/dev/null | awk 'NR == 2 { print $1 }'; }
A=CO/MUN/890905211/TRAMITES
check "before, an exchange works" equal "$(ask a $A)" OK

# --- another one, that nobody trusts ----------------------------------------------------------------
authority() { registry certificate-authority "$@"; }
check "a name that is a path is none" refused authority make ../CA-2
check "another CA is made" authority make CA-2
check "... its key for nobody else" equal "$(stat -c %a "$C/store/keys/ca-CA-2.key")" 600
check "... once" refused authority make CA-2
check "nothing is issued by it as long as nobody trusts it" contains "$(authority use CA-2 2>&1)" "nobody trusts CA-2 yet"
check "the country's own names no responder" contains \
    "$(authority add CA-2 --certificate "$C/store/ca-CA-2.pem" --ocsp http://127.0.0.1/x 2>&1)" "country's own"
check "an act makes it trusted" authority add CA-2 --certificate "$C/store/ca-CA-2.pem"
publish

# --- it issues --------------------------------------------------------------------------------------
check "now it may issue" authority use CA-2
taken=$(grep -c directory.taken "$C/b/server.events")
member_make c CO/GOV/800197268/SS1 "DIAN" RUT >/dev/null
check "a new certificate is of the second one" issued_by c ca-CA-2.pem
check "... and not of the first" refused issued_by c ca.pem
check "the older ones are of the first" issued_by a ca.pem
publish
member_keys() { # a certificate of CA-2 for the key in $C/d, that names another server
    mkdir -p "$C/d"
    "$BIN/chaski" keys make --folder "$C/d/keys" --server CO/GOV/4/SS1 --name d --address tcp://127.0.0.1:7009 --request "$C/d/request.json" >/dev/null || return 1
    openssl req -new -key "$C/d/keys/sign.key" -subj "/C=CO/O=d/serialNumber=CO\/GOV\/5/CN=SS1" -out "$C/d/other.csr" 2>/dev/null &&
        openssl x509 -req -in "$C/d/other.csr" -CA "$C/store/ca-CA-2.pem" -CAkey "$C/store/keys/ca-CA-2.key" -days 90 -set_serial 7 -out "$C/d/other.pem" \
            -extfile <(printf 'keyUsage=critical,digitalSignature,nonRepudiation\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n') 2>/dev/null
}
registry member add CO/GOV/4 --name Cuatro >/dev/null || die "no member"
member_keys || die "no keys for d"
check "what it issues counts for the server that it names, and no other" contains \
    "$(registry server add "$C/d/request.json" --certificate "$C/d/other.pem" 2>&1)" "issued to CO/GOV/5/SS1"
server_start c || die "server c: $(tail -n 1 "$C/c/server.events")"
took() { [ "$(grep -c directory.taken "$C/b/server.events")" -gt "$taken" ]; }
wait_for 10 took || die "the directory does not arrive"
check "a server of the second CA is taken by one that runs since before it" wait_for 10 eval '[ "$(ask c CO/GOV/800197268/RUT)" = OK ]'
check "... and those of the first go on" equal "$(ask a $A)" OK
check "nobody was given another anchor" equal "$(sha256sum "$C/store/anchor/trust.pem")" "$anchor"
server_stop c
check "a restart finds it again" server_start c
check "... and works" equal "$(ask c CO/GOV/800197268/RUT)" OK

# --- what else knows of it --------------------------------------------------------------------------
check "nobody is asked how its certificates stand" contains "$("$BIN/chaski-registry" statuses "$C/store")" "0 asked for"
check "... nor missed" refused contains "$(registry show)" "has never said how it stands"
check "a backup has its key" "$BIN/chaski-registry" backup "$C/store" --to "$C/copy"
check "... with which a copy goes on" cmp "$C/copy/keys/ca-CA-2.key" "$C/store/keys/ca-CA-2.key"
covered() { [ -s "$C/c/audit/log/1/checkpoint" ] && [ "$(sed -n 2p "$C/c/audit/log/1/checkpoint")" -ge 3 ]; }
wait_for 20 covered || die "no checkpoint"
index=$("$BIN/chaski-audit" show "$C/c/audit" | awk '/request/ { print $1; exit }')
check "an auditor verifies its log" "$BIN/chaski-audit" verify "$C/c/audit"
check "a record of it is exported" "$BIN/chaski-audit" export "$C/c/audit" "$index" --to "$C/record"
words=$(bash "$C/record/verify.sh" "$C/record" --trust "$C/store/anchor/trust.pem" --directory-vkey "$C/store/anchor/directory.vkey")
check "... and proves itself by the anchor of before" contains "$(tail -n 1 <<<"$words")" PASS

# --- back, and its end ------------------------------------------------------------------------------
check "the first one can issue again" authority use first
member_make e CO/GOV/6/SS1 "Seis" SEIS >/dev/null
check "... which it does" issued_by e ca.pem
check "the second one is taken out" authority remove CA-2 --reason "llave perdida"
check "... and cannot issue" contains "$(authority use CA-2 2>&1)" "nobody trusts CA-2"
publish
gone_again() { [ "$(ask c CO/GOV/800197268/RUT)" != OK ]; }
check "... and what it issued is refused" wait_for 15 gone_again
check "those of the first go on" equal "$(ask a $A)" OK
finish
