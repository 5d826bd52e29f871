#!/bin/bash
# SPDX-License-Identifier: MIT
# Callers who open connections to the registry and say nothing: of one address they take no more than their share, so
# that operators elsewhere come in at once, and they are closed after seconds, before and after the TLS handshake.
. "$(dirname "$0")/lib.sh"
refused() { ! "$@"; }
country_make >/dev/null
"$BIN/chaski-registry" operator key "$C/ana.key" >"$C/ana.pub" || die "no key"
registry operator add ana --name ana --key "$(cat "$C/ana.pub")" --role enrol --role approve --role publish >/dev/null || die "no operator"
"$BIN/chaski-registry" serve "$C/store" --listen 127.0.0.1:0 --directory "$C/directory" --authority --admin '[::]:0' \
    --ready-file "$C/ready" 2>>"$C/serve.events" &
pids+=($!)
wait_for 20 test -s "$C/ready" || die "it does not start"
listen=$(sed -n 's/^listen=//p' "$C/ready"); admin=$(sed -n 's/^admin=//p' "$C/ready"); admin_port=${admin##*:}
registry anchor --url "http://$listen" --to "$C/chaski.anchor" >/dev/null || die "no anchor"
# comes_in ADDRESS TO: is TLS spoken with a caller from there?
comes_in() { timeout 3 openssl s_client -bind "$1:0" -connect "$2" </dev/null 2>&1 | grep -q 'BEGIN CERTIFICATE'; }
hold() { # COUNT TO-HOST: opens that many, which say nothing
    local i
    for ((i = 0; i < $1; i++)); do eval "exec $((50 + i))<>/dev/tcp/$2/$admin_port" 2>/dev/null; done
}
release() { local i; for ((i = 0; i < 40; i++)); do eval "exec $((50 + i))>&-"; done; }
check "an operator's command works" "$BIN/chaski-registry" proposals --at "https://127.0.0.1:$admin_port" --anchor "$C/chaski.anchor" --as "$C/ana.key"
began=$(date +%s%N)
hold 40 127.0.0.1
check "who holds its share gets no more" refused comes_in 127.0.0.1 "127.0.0.1:$admin_port"
check "... which is said" grep -q '"registry.source_crowds"' "$C/serve.events"
check "another address comes in at once" comes_in 127.0.0.2 "127.0.0.1:$admin_port"
check "... while all these are held" test $((($(date +%s%N) - began) / 1000000)) -lt 4900
back() { comes_in 127.0.0.1 "127.0.0.1:$admin_port"; }
check "who says nothing is closed" wait_for 20 back
release
hold 40 ::1
check "of IPv6 likewise" refused comes_in '[::1]' "[::1]:$admin_port"
check "... and IPv4 is not kept out by it" comes_in 127.0.0.1 "127.0.0.1:$admin_port"
release
check "commands work as before" wait_for 20 "$BIN/chaski-registry" proposals --at "https://127.0.0.1:$admin_port" --anchor "$C/chaski.anchor" --as "$C/ana.key"
finish
