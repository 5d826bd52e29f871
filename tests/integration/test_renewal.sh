#!/bin/bash
# SPDX-License-Identifier: MIT
# Both servers take their next signing key into use while they exchange: by themselves, with no exchange lost, and
# the logs verify. Killed at any moment they go on. Whoever has no key in force gets no certificate.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/stock.sh"
client=CO/MUN/890905211/TRAMITES
service=CO/GOV/899999027/DIVIPOLA/municipios
two_members $service
registry_follow a b
for m in a b; do
    printf 'directory_poll_ms = 500\nrenew_before_s = 315360000\nrenew_settle_s = 3\n' >>"$C/$m/server.conf"
done
shown() { "$BIN/chaski-registry" show "$C/store" --json | jq -r "$1"; }
certificates() { shown ".servers[] | select(.id == \"$1\").certificates | length"; }

# --- under load -------------------------------------------------------------------------------------
cp "$C/a/keys/sign.crt" "$C/a.first"
servers_start a b
"$PEER" serve "ipc://$C/b/front" CO/GOV/899999027/DIVIPOLA "$C/served" 2>/dev/null &
pids+=($!)
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
renewed() { grep -q '"renewal.done"' "$C/$1/server.events"; }
check "the one that asks takes its next key into use by itself" wait_for 60 renewed a
check "so does the one that answers" wait_for 60 renewed b
before=$(wc -l <"$C/answered")
more() { [ "$(wc -l <"$C/answered")" -gt $((before + 400)) ]; }
check "exchanges go on" wait_for 60 more
check "both certificates of each stand in the directory" equal "$(certificates CO/MUN/890905211/SS1) $(certificates CO/GOV/899999027/SS1)" "2 2"
touch "$C/enough"
check "all that was begun ends" wait_for 30 gone $asker
echo "# $(wc -l <"$C/answered") answered"
check "no exchange was refused or lost" equal "$(grep -Evc '^asked 200 in|^  OK +200$' "$C/ask.out") $(sort -u "$C/answered" | wc -l)" "0 $(($(wc -l <"$C/rounds") * 200))"
check "... and none was refused on the way" equal "$(cat "$C/a/server.events" "$C/b/server.events" | grep -c '"exchange.refused"')" 0

# --- the next start ---------------------------------------------------------------------------------
server_stop a; check "server a stops as asked" equal $? 0
check "the next key lies beside the present one until then" test -s "$C/a/keys/sign.next.crt"
cp "$C/a/keys/sign.next.crt" "$C/a.second"
server_start a || die "server a does not come back: $(tail -n 1 "$C/a/server.events")"
check "a start gives it its name" cmp -s "$C/a/keys/sign.crt" "$C/a.second"
check "... and makes the one after it" test -s "$C/a/keys/sign.next.key"

# --- killed while it renews again -------------------------------------------------------------------
for i in 1 2 3 4 5; do
    sleep "$i.2"
    server_kill a
    server_start a || die "killed $i times server a does not come back: $(tail -n 1 "$C/a/server.events")"
done
again() { said_since_start a '"renewal.done"' || ! cmp -s "$C/a/keys/sign.crt" "$C/a.second"; }
check "killed in the middle it renews all the same" wait_for 60 again
"$PEER" ask "ipc://$C/a/front" $client $service 100 4 "" "$C/last" >"$C/ask.last" 2>&1
check "... and exchanges" equal "$(wc -l <"$C/last")" 100
server_stop a; check "server a stops as asked again" equal $? 0
server_stop b; check "server b stops as asked" equal $? 0
sort "$C/answered" "$C/last" | uniq -d >"$C/twice"
check "nothing was answered twice" equal "$(wc -l <"$C/twice")" 0
for m in a b; do
    check "the log of $m verifies, with leaves of all its keys" "$BIN/chaski-audit" verify "$C/$m/audit"
done

# --- who gets none ----------------------------------------------------------------------------------
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout "$C/new.key" -subj /CN=x -outform DER -out "$C/new.csr" 2>/dev/null
renew() { # SERVER KEY: the status
    (printf 'chaski renewal v1\0%s\0' "$1"; cat "$C/new.csr") | openssl dgst -sha256 -binary >"$C/digest"
    jq -n --arg server "$1" --arg request "$(b64 <"$C/new.csr")" --arg signature "$(low_sign "$2")" \
        '{server: $server, certificate_request: $request, signature: $signature}' >"$C/sent"
    curl -sS --max-time 20 -o "$C/body" -w '%{http_code}' --data-binary @"$C/sent" "$url/member/v1/renewals"
}
check "a present key gets a certificate for the next one" equal "$(renew CO/GOV/899999027/SS1 "$C/b/keys/sign.key") $(jq -r .certificate "$C/body" | base64 -d | openssl x509 -inform DER -noout -subject | grep -c SS1)" "200 1"
check "... which stands nowhere by that" equal "$(certificates CO/GOV/899999027/SS1)" 2
check "another server's key gets none" equal "$(renew CO/GOV/899999027/SS1 "$C/a/keys/sign.key") $(jq -r .detail "$C/body" | grep -c 'in force')" "400 1"
check "nor a key that nobody knows" equal "$(renew CO/GOV/899999027/SS1 "$C/new.key")" 400
check "a server that is not there gets none" equal "$(renew CO/GOV/899999027/SS9 "$C/b/keys/sign.key")" 400
cp "$C/new.csr" "$C/good.csr"
openssl req -new -newkey rsa:2048 -nodes -keyout "$C/rsa.key" -subj /CN=x -outform DER -out "$C/new.csr" 2>/dev/null
check "nor a weak key" equal "$(renew CO/GOV/899999027/SS1 "$C/b/keys/sign.key")" 400
cp "$C/good.csr" "$C/new.csr"
check "garbage is refused" equal "$(curl -sS -o /dev/null -w '%{http_code}' --data-binary '{"server": 1}' "$url/member/v1/renewals")" 400
finish
