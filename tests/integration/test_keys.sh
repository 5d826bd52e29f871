#!/bin/bash
# SPDX-License-Identifier: MIT
# Keys sealed at rest: a node that opens them with a passphrase from a file, a credential or a descriptor, one
# that has the wrong one, and a change of passphrase that is killed at any moment.
. "$(dirname "$0")/lib.sh"
secret() { (umask 077; printf '%s\n' "$2" >"$C/$1"); }
secret pass "una frase bastante larga"
secret other "otra frase bastante larga"
secret short "corta"
country_make >/dev/null
member_make a CO/MUN/890905211/SS1 "Medellín" TRAMITES >/dev/null
KEYS_MORE=(--passphrase "file:$C/pass")
member_make b CO/GOV/899999027/SS1 "DANE" DIVIPOLA >/dev/null
KEYS_MORE=()
B=CO/GOV/899999027/DIVIPOLA
registry service add $B/uno --class open >/dev/null || die "no service"
publish
printf 'codigo,nombre\n05001,Medellin\n' >"$C/lista.csv"
echo "service \"$B/uno\" { kind = table file = \"$C/lista.csv\" key = codigo }" >"$C/b/services/uno.conf"
keys() { "$BIN/chaski" keys "$@" 2>&1; }
unsealed() { grep -L 'ENCRYPTED' "$1"/*.key | wc -l; }
sources() { sed -i '/^keys_passphrase/d' "$C/b/server.conf"; [ -z "$1" ] || echo "keys_passphrase = \"$1\"" >>"$C/b/server.conf"; }

# --- on disk ------------------------------------------------------------------------------------------
check "keys made with a passphrase are sealed, all six" equal "$(unsealed "$C/b/keys") $(ls "$C/b/keys"/*.key | wc -l)" "0 6"
check "... for their owner only" equal "$(stat -c %a "$C/b/keys" "$C/b/keys"/*.key | sort -u | tr '\n' ' ')" "600 700 "
check "stock openssl opens one" openssl pkey -in "$C/b/keys/sign.key" -passin "file:$C/pass" -noout
check "... with nothing else" eval "! openssl pkey -in '$C/b/keys/sign.key' -passin 'file:$C/other' -noout"
check "the cost of a guess stands in the file" contains "$(openssl asn1parse -in "$C/b/keys/sign.key" | tr -d ' ' | tr '\n' ' ')" "scrypt"
check "a short passphrase is refused" contains "$(keys seal --folder "$C/a/keys" --passphrase "file:$C/short")" "at least 12 bytes"
check "... and nothing has changed" equal "$(unsealed "$C/a/keys")" 6
check "a passphrase on the command line is refused, and not repeated" equal \
    "$(keys seal --folder "$C/a/keys" --passphrase "una frase bastante larga" | grep -c "none of them"):$(keys seal --folder "$C/a/keys" --passphrase "una frase bastante larga" | grep -c bastante)" 1:0
check "the transport key's public half is shown with the passphrase" equal \
    "$(keys transport "$C/b/keys/transport.key" --passphrase "file:$C/pass" | wc -c)" 41
check "... and not without" contains "$(keys transport "$C/b/keys/transport.key")" "is sealed"
(sleep 1; echo "tecleada dos veces"; sleep 1; echo "tecleada dos veces"; sleep 5) |
    timeout -k 2 20 script -qec "$BIN/chaski keys seal --folder $C/a/keys" /dev/null >"$C/typed" 2>&1
check "a passphrase is asked for on a terminal, twice" equal "$(grep -c "keys: *$\|again: *$" <(tr -d '\r' <"$C/typed")) $(unsealed "$C/a/keys")" "2 0"
check "... without showing it" equal "$(grep -c tecleada "$C/typed")" 0
secret phrase "tecleada dos veces"
check "... and takes it away again" contains "$(keys unseal --folder "$C/a/keys" --passphrase "file:$C/phrase")" "are not sealed"

# --- a node ----------------------------------------------------------------------------------------------
server_start a || die "server a: $(tail -n 1 "$C/a/server.events")"
gateway_start a || die "gateway a"
check "a node with unsealed keys says so" grep -q '"keys.unsealed"' "$C/a/server.events"
sources ""
timeout 20 "$BIN/chaski-security-server" --config "$C/b/server.conf" 2>"$C/none.events"
check "sealed keys without a passphrase end the server, for an operator" equal $? 2
check "... in words" contains "$(cat "$C/none.events")" "is not said where its passphrase is read from"
sources "file:$C/other"
started=$(date +%s)
timeout 60 "$BIN/chaski-security-server" --config "$C/b/server.conf" 2>"$C/wrong.events"
check "a wrong passphrase ends it too" equal $? 2
check "... in words" contains "$(cat "$C/wrong.events")" "does not open with this passphrase"
check "... and is not tried in a circle" equal "$(grep -c server.restarting "$C/wrong.events")" 0
check "... nor is it waited for" test $(($(date +%s) - started)) -lt 20
sources "file:$C/nowhere"
timeout 20 "$BIN/chaski-security-server" --config "$C/b/server.conf" 2>"$C/gone.events"
check "a passphrase that is not there is an operator's too" contains "$? $(cat "$C/gone.events")" "2 {"
serves() { # SENTENCE: b starts as it is set, and answers
    check "$1" server_start b
    gateway_start b || not_ok "gateway b" "$(tail -n 1 "$C/b/gateway.events")"
    wait_for 10 asks
    check "... and answers" asks
    check "... all its keys are sealed" equal "$(grep '"keys.ready"' "$C/b/server.events" | tail -n 1 | jq -c '[.sealed_files, .unsealed_files]')" "[5,0]"
    gateway_stop b; server_stop b
}
asks() { [ "$(curl -sS --max-time 10 -o /dev/null -w '%{http_code}' -H 'X-Road-Client: CO/MUN/890905211/TRAMITES' "$(gateway_url a)/r1/$B/uno/05001")" = 200 ]; }
sources "file:$C/pass"
printf 'evidence_front = "ipc://%s"\nevidence_log = tiles\nevidence_records = on\n' "$C/b/evidence" >>"$C/b/server.conf"
serves "a node opens its keys with a passphrase from a file"
mkdir -m 700 "$C/credentials" && cp "$C/pass" "$C/credentials/llaves"
sources "credential:llaves"
timeout 20 "$BIN/chaski-security-server" --config "$C/b/server.conf" 2>"$C/gone.events"
check "a credential without systemd is said" contains "$(cat "$C/gone.events")" "LoadCredential=llaves:"
CREDENTIALS_DIRECTORY=$C/credentials serves "a node opens its keys with a credential of systemd"
sources "fd:9"
serves "a node opens its keys with a passphrase from a descriptor" 9<"$C/pass"
check "the clerk opens the store key too" eval "! grep -q clerk.failed '$C/b/server.events'"
sources "file:$C/pass"
server_start b || die "server b"
wait_for 10 asks
kill -9 "$(sed -n 's/^keys_pid=//p' "$C/b/server.ready")"
check "keys are opened again after a crash" wait_for 20 said_since_start b server.restarting
twice() { [ "$(tail -n "+$(($(cat "$C/b/server.mark") + 1))" "$C/b/server.events" | grep -c '"server.ready"')" = 2 ]; }
check "... which is no reason to ask anybody" wait_for 20 twice
server_stop b
check "no passphrase is in any event" equal "$(grep -l 'frase bastante' "$C"/*/*.events "$C"/*.events)" ""
no_environ() { ! grep -qa 'frase[ ]bastante' /proc/*/environ /proc/*/cmdline 2>/dev/null; }
check "... nor in any environment or command line" no_environ

# --- killed while it changes --------------------------------------------------------------------------------
opens() { local key; for key in "$C/b/keys"/*.key; do
    case $key in */store.key | */transport.key) continue ;; esac
    openssl pkey -in "$key" -passin "file:$1" -noout 2>/dev/null || return 1; done; }
begun=$(date +%s%N)
keys passphrase --folder "$C/b/keys" --passphrase "file:$C/pass" --new-passphrase "file:$C/other" >/dev/null
whole_ms=$((($(date +%s%N) - begun) / 1000000))
now=other next=pass bad=0 changed=0
for part in 5 20 40 60 75 85 90 93 96 99 102 106; do
    wait=$(printf '%d.%03d' $((whole_ms * part / 100000)) $((whole_ms * part / 100 % 1000)))
    "$BIN/chaski" keys passphrase --folder "$C/b/keys" --passphrase "file:$C/$now" --new-passphrase "file:$C/$next" >/dev/null & pid=$!
    sleep "$wait"; kill -9 "$pid" 2>/dev/null; wait "$pid" 2>/dev/null
    if opens "$C/$next"; then swap=$now; now=$next; next=$swap; changed=$((changed + 1)); elif ! opens "$C/$now"; then bad=$((bad + 1)); fi
    [ "$(ls "$C/b/keys"/*.key | wc -l)" = 6 ] || bad=$((bad + 1))
done
check "a change of passphrase that is killed leaves the old or the new" equal "$bad" 0
echo "# $changed of 12 had changed all before they were killed"
check "one that is not killed changes all" contains "$(keys passphrase --folder "$C/b/keys" --passphrase "file:$C/$now" --new-passphrase "file:$C/$next")" "6 keys"
check "... and leaves nothing beside" test ! -e "$C/b/keys.resealed"
check "a wrong one changes nothing" contains "$(keys passphrase --folder "$C/b/keys" --passphrase "file:$C/$now" --new-passphrase "file:$C/pass")" "does not open with this passphrase"
check "... and leaves nothing beside either" test ! -e "$C/b/keys.resealed"
sources "file:$C/$next"
serves "a node opens its keys with the new passphrase"
check "an auditor with the passphrase opens payloads under the sealed store key" contains \
    "$("$BIN/chaski-audit" verify "$C/b/audit" --store-key "$C/b/keys/store.key" --passphrase "file:$C/$next")" " 0 sealed"
check "... and without it hears why not" contains "$("$BIN/chaski-audit" verify "$C/b/audit" --store-key "$C/b/keys/store.key" 2>&1)" "is sealed, and it is not said"
keys unseal --folder "$C/b/keys" --passphrase "file:$C/$next" >/dev/null
check "unsealed keys are as they were" equal "$(unsealed "$C/b/keys")" 6
server_stop a
check "both logs verify" "$BIN/chaski-audit" verify "$C/a/audit" "$C/b/audit" --store-key "$C/a/keys/store.key" --store-key "$C/b/keys/store.key"
finish
