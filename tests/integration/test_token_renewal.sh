#!/bin/bash
# SPDX-License-Identifier: MIT
# A server whose signing key lives in a token renews it by itself: another key is made in the token and takes over
# while exchanges go on, none is lost, and it is the one that signs after a restart. Killed at any moment it goes on.
# A token that makes no keys is said, with the one command, and nothing stops. The token is SoftHSM.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/stock.sh"
client=CO/MUN/890905211/TRAMITES
service=CO/GOV/899999027/DIVIPOLA/municipios
MODULE=$OUT/tests/failing_token.so
export SOFTHSM2_CONF=$C/softhsm.conf FAILING_TOKEN_ORDER=$C/order FAILING_TOKEN_LOGINS=$C/logins
mkdir "$C/tokens"
printf 'directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\n' "$C/tokens" >"$SOFTHSM2_CONF"
: >"$C/order"; : >"$C/logins"
softhsm2-util --init-token --free --label Sello --pin 123456 --so-pin 654321 >/dev/null || die "no token"
(umask 077; echo 123456 >"$C/pin")
uri="pkcs11:token=Sello;object=firma?pin-source=file:$C/pin"
order() { printf '%s\n' "$1" >"$C/order.new" && mv "$C/order.new" "$C/order"; }
country_make >/dev/null
KEYS_MORE=(--token "$uri" --module "$MODULE")
member_make a CO/MUN/890905211/SS1 "Medellín" TRAMITES >/dev/null
KEYS_MORE=()
member_make b CO/GOV/899999027/SS1 "DANE" DIVIPOLA >/dev/null
registry service add $service --class open >/dev/null || die "no service"
registry_follow a b
for m in a b; do
    printf 'directory_poll_ms = 500\nrenew_before_s = 315360000\nrenew_settle_s = 2\n' >>"$C/$m/server.conf"
done
printf 'sign_key = "%s"\ntoken_module = "%s"\n' "$uri" "$MODULE" >>"$C/a/server.conf"
sed -i 's/^renew_before_s.*/renew_before_s = 1/' "$C/b/server.conf"
certificates() { "$BIN/chaski-registry" show "$C/store" --json | jq -r ".servers[] | select(.id == \"$1\").certificates | length"; }
labels() { pkcs11-tool --module /usr/lib/softhsm/libsofthsm2.so --token-label Sello --login --pin 123456 -O --type privkey 2>/dev/null | sed -n 's/^ *label: *//p' | sort | tr '\n' ' '; }
day=$(date -u +%Y%m%d)

# --- a token that makes no keys ---------------------------------------------------------------------
order readonly
cp "$C/a/keys/sign.crt" "$C/a.first"
servers_start a b
"$PEER" serve "ipc://$C/b/front" CO/GOV/899999027/DIVIPOLA "$C/served" 2>/dev/null &
pids+=($!)
check "a token that makes no keys is said" wait_for 30 grep -q '"token.key_not_made"' "$C/a/server.events"
command=$(jq -r 'select(.event == "token.key_not_made").command' "$C/a/server.events" | head -n 1)
check "... with the one command" contains "$command" "--keypairgen --key-type EC:prime256v1"
check "... and that somebody must act" wait_for 10 grep -q '"renewal.needed"' "$C/a/server.events"
"$PEER" ask "ipc://$C/a/front" $client $service 20 4 "" "$C/meanwhile" >/dev/null 2>&1
check "nothing stops meanwhile" equal "$(wc -l <"$C/meanwhile")" 20
check "no key was made" equal "$(labels)" "firma "
check "the command makes it" eval "${command/$MODULE//usr/lib/softhsm/libsofthsm2.so} --pin 123456"
check "... of the label that is looked for" equal "$(labels)" "firma firma-$day "
server_stop a

# --- under load -------------------------------------------------------------------------------------
server_start a || die "server a: $(tail -n 1 "$C/a/server.events")"
load() { # rounds that each end only when every exchange was answered
    while [ ! -e "$C/enough" ]; do
        "$PEER" ask "ipc://$C/a/front" $client $service 200 8 "" "$C/answered.now" >>"$C/ask.out" 2>&1
        cat "$C/answered.now" >>"$C/answered"
        rm -f "$C/answered.now"
        echo round >>"$C/rounds"
    done
}
load &
asker=$!
pids+=($asker)
check "exchanges begin" wait_for 20 test -s "$C/answered"
check "a key that a person made is taken into use" wait_for 60 said_since_start a '"renewal.done"'
before=$(wc -l <"$C/answered")
more() { [ "$(wc -l <"$C/answered")" -gt $((before + 200)) ]; }
check "exchanges go on" wait_for 60 more
check "both certificates stand in the directory" equal "$(certificates CO/MUN/890905211/SS1)" 2
touch "$C/enough"
check "all that was begun ends" wait_for 30 gone $asker
echo "# $(wc -l <"$C/answered") answered"
check "no exchange was refused or lost" equal "$(grep -Evc '^asked 200 in|^  OK +200$' "$C/ask.out") $(sort -u "$C/answered" | wc -l)" "0 $(($(wc -l <"$C/rounds") * 200))"
check "... and none was refused on the way" equal "$(cat "$C/a/server.events" "$C/b/server.events" | grep -c '"exchange.refused"')" 0
check "the token's process signs by both keys meanwhile" test -s "$C/a/keys/sign.next.object"
cp "$C/a/keys/sign.next.crt" "$C/a.second"

# --- the next start ---------------------------------------------------------------------------------
order none
server_stop a; check "server a stops as asked" equal $? 0
server_start a || die "server a does not come back: $(tail -n 1 "$C/a/server.events")"
check "a start gives the certificate its name" cmp -s "$C/a/keys/sign.crt" "$C/a.second"
check "... and the object, while the settings name the first one" equal "$(tail -n 1 "$C/a/keys/sign.object") $(grep -c 'object=firma?' "$C/a/server.conf")" "firma-$day 1"
check "what signs a member's act is the new object" "$BIN/chaski" service add TRAMITES/uno --class open --title Uno --config "$C/a/server.conf"
check "a key that gave way is noted" contains "$(cat "$C/a/keys/sign.old.objects")" " firma"

# --- killed while it renews again -------------------------------------------------------------------
for i in 1 2 3 4; do
    sleep "$((i % 3)).$((i * 2))"
    server_kill a
    server_start a || die "killed $i times server a does not come back: $(tail -n 1 "$C/a/server.events")"
done
again() { said_since_start a '"renewal.done"' || ! cmp -s "$C/a/keys/sign.crt" "$C/a.second"; }
check "killed in the middle it renews all the same" wait_for 60 again
child_of() { local p; for p in $(pgrep -P "$(cat "$C/a/server.pid")"); do [ "$(cat "/proc/$p/comm" 2>/dev/null)" = "$1" ] && echo "$p"; done; }
answers() {
    rm -f "$C/last"
    "$PEER" ask "ipc://$C/a/front" $client $service 100 4 "" "$C/last" >"$C/ask.last" 2>&1
    cat "$C/last" >>"$C/later"
    [ "$(wc -l <"$C/last")" = 100 ]
}
check "... in each run once" wait_for 60 test -s "$C/a/keys/sign.next.crt"
token=$(child_of chaski-token)
kill -9 "$(sed -n 's/^keys_pid=//p' "$C/a/server.ready")"
promoted() { [ ! -e "$C/a/keys/sign.next.crt" ]; }
check "exchange and keys start anew, and names change" wait_for 20 promoted
check "a token's process that lived on signs for them" wait_for 40 answers
check "... and is the same" equal "$(child_of chaski-token)" "$token"
check "... and makes the next key" wait_for 20 test -s "$C/a/keys/sign.next.object"
kill -9 "$(child_of chaski-token)"
check "... and exchanges, also when the token's process dies" wait_for 40 answers
check "every key that was begun has a name" equal "$(labels | tr ' ' '\n' | grep -vc "^firma\(-$day\(-[0-9]*\)*\)*$")" 0

# --- keys that gave way -----------------------------------------------------------------------------
server_stop a; check "server a stops as asked again" equal $? 0
sed -i "s/^[0-9]* firma/1 firma/" "$C/a/keys/sign.old.objects"
server_start a || die "server a: $(tail -n 1 "$C/a/server.events")"
check "a key whose certificate has ended is removed from the token" wait_for 20 said_since_start a '"token.old_key_removed"'
check "... but what the settings name is told of and left" wait_for 10 said_since_start a '"token.old_key"'
check "... and is there" contains "$(labels)" "firma "
server_stop a; server_stop b
check "nothing was answered twice" equal "$(sort "$C/answered" "$C/later" | uniq -d | wc -l)" 0
for m in a b; do
    check "the log of $m verifies, with leaves of all its keys" "$BIN/chaski-audit" verify "$C/$m/audit"
done
finish
