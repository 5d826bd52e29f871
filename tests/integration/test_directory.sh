#!/bin/bash
# SPDX-License-Identifier: MIT
# The signed directory: a new one is taken without a restart; a damaged, foreign, older, forked or expired
# one is refused, also after a restart; the exchange runs over IPv6; wrong settings are said clearly.
HOST=127.0.0.1
MESH_HOST='[::1]'
. "$(dirname "$0")/lib.sh"
PEER=$OUT/tests/front_peer
country_make >/dev/null
member_make a CO/MUN/890905211/SS1 "Medellín" TRAMITES >/dev/null
member_make b CO/GOV/899999027/SS1 "DANE" DIVIPOLA >/dev/null
S=CO/GOV/899999027/DIVIPOLA
registry service add $S/uno --class open >/dev/null || die "no service"
publish
server_start a || die "server a: $(tail -n 1 "$C/a/server.events")"
server_start b || die "server b: $(tail -n 1 "$C/b/server.events")"
"$PEER" serve "ipc://$C/b/front" $S 2>/dev/null &
pids+=($!)
wait_for 5 grep -q front.gateway_arrived "$C/b/server.events"
ask() { timeout 20 "$PEER" ask "ipc://$C/a/front" CO/MUN/890905211/TRAMITES "$1" 1 1 2>/dev/null | awk 'NR == 2 { print $1 }'; }
events() { grep -c "\"$1\"" "$C/a/server.events"; }

check "an exchange runs over IPv6" equal "$(ask $S/uno)" OK
check "... and the peer's address is one" contains "$(grep mesh.peer_connecting "$C/a/server.events" | tail -n 1)" "tcp://[::1]:"

# a new one
check "a service that is not there yet is unknown" equal "$(ask $S/dos)" UNKNOWN_SERVICE
pid=$(sed -n 's/^exchange_pid=//p' "$C/a/server.ready")
cp -r "$C/directory" "$C/older"
registry service add $S/dos --class open >/dev/null
publish
sleep 1.5
check "a new directory is taken without a restart" equal "$(ask $S/dos)" OK
check "... by the same process" equal "$(sed -n 's/^exchange_pid=//p' "$C/a/server.ready")" "$pid"

# swaps in a folder as the published one, as a careless or hostile distributor would
swap() { mv "$C/directory" "$C/kept"; cp -r "$1" "$C/directory"; touch "$C/directory/checkpoint"; sleep 1.6; }
swap_back() { rm -rf "$C/directory"; mv "$C/kept" "$C/directory"; touch "$C/directory/checkpoint"; sleep 1.6; }
last_refusal() { grep directory.refused "$C/a/server.events" | tail -n 1; }

swap "$C/older"
check "an older directory is refused" contains "$(last_refusal)" DIRECTORY_OLD
check "... and the newer one stays in use" equal "$(ask $S/dos)" OK
server_stop a
server_start a || die "server a does not start with an older directory"
check "an older directory is refused after a restart too" equal "$(ask $S/dos)" OK
swap_back

cp -r "$C/directory" "$C/damaged"
bundle=$C/damaged/tile/entries/000.p/$(ls "$C/damaged/tile/entries/000.p" | sort -n | tail -n 1)
size=$(stat -c %s "$bundle")
# the complement: whatever stands there, it is another byte
byte=$(xxd -p -s $((size / 2)) -l 1 "$bundle")
printf '%02x' $((255 - 0x$byte)) | xxd -r -p | dd of="$bundle" bs=1 seek=$((size / 2)) conv=notrunc 2>/dev/null
swap "$C/damaged"
wait_for 5 sh -c "tail -n 1 '$C/a/server.events' | grep -q directory.refused"
check "a directory with one byte changed is refused" contains "$(last_refusal)" DIRECTORY_BAD
swap_back

"$BIN/chaski-registry" init "$C/foreign-store" --instance CO --name "Impostor" >/dev/null
"$BIN/chaski-registry" publish "$C/foreign-store" --to "$C/foreign" >/dev/null
swap "$C/foreign"
check "another authority's directory is refused" contains "$(last_refusal)" DIRECTORY_BAD
swap_back
check "after all this the exchange still works" equal "$(ask $S/dos)" OK

# a fork: the same authority, another history from some act on
cp -r "$C/store" "$C/forked-store"
registry service add $S/tres --class open >/dev/null; publish; sleep 1.5
"$BIN/chaski-registry" service add "$C/forked-store" $S/otro --class open >/dev/null
"$BIN/chaski-registry" service add "$C/forked-store" $S/otro2 --class open >/dev/null
"$BIN/chaski-registry" publish "$C/forked-store" --to "$C/forked" >/dev/null
swap "$C/forked"
check "a fork of the directory is refused" contains "$(last_refusal)" DIRECTORY_FORKED
swap_back

# a service switched off
registry service disable $S/uno --notice "En mantenimiento hasta el lunes" >/dev/null
publish; sleep 1.5
check "a service that is switched off is refused" equal "$(ask $S/uno)" SERVICE_DISABLED

# settings and keys
cp "$C/b/server.conf" "$C/wrong.conf"; echo 'nada = 1' >>"$C/wrong.conf"
said=$("$BIN/chaski-security-server" --config "$C/wrong.conf" --check-config 2>&1); status=$?
check "an unknown setting is refused with exit status 2" equal $status 2
check "... naming file, line and setting" contains "$said" "wrong.conf:"
sed 's/^wal_segment_mib = .*/wal_segment_mib = 0/' "$C/b/server.conf" >"$C/wrong.conf"
check "a value out of bounds says the bounds" contains "$("$BIN/chaski-security-server" --config "$C/wrong.conf" --check-config 2>&1)" "1..1024"
grep -v '^reconcile_grace_ms' "$C/b/server.conf" >"$C/wrong.conf"
echo 'reconcile_grace_ms = 0' >>"$C/wrong.conf"
check "no grace at all for leaves that are under way is refused" contains \
    "$("$BIN/chaski-security-server" --config "$C/wrong.conf" --check-config 2>&1)" "100..86400000"
check "right settings pass the check" "$BIN/chaski-security-server" --config "$C/b/server.conf" --check-config
chmod 644 "$C/b/keys/sign.key"
server_stop b
"$BIN/chaski-security-server" --config "$C/b/server.conf" 2>"$C/keys.events"; status=$?
check "a key that others can read is refused with exit status 2" equal $status 2
check "... saying what to do" contains "$(cat "$C/keys.events")" "chmod 600"
chmod 600 "$C/b/keys/sign.key"

# the jail, from outside
server_start b
keys_pid=$(sed -n 's/^keys_pid=//p' "$C/b/server.ready")
exchange_pid=$(sed -n 's/^exchange_pid=//p' "$C/b/server.ready")
check "the keys process is under seccomp" equal "$(awk '/^Seccomp:/ { print $2 }' "/proc/$keys_pid/status")" 2
check "the exchange process is under seccomp" equal "$(awk '/^Seccomp:/ { print $2 }' "/proc/$exchange_pid/status")" 2
fds() { find "/proc/$keys_pid/fd" -type l ! -name 0 ! -name 1 ! -name 2 -printf '%l\n' | sed 's/:.*//'; }
check "beside its standard ones the keys process has one descriptor, a socket" equal "$(fds)" socket
kill -9 "$keys_pid"
wait_for 15 grep -q '"server.restarting"' "$C/b/server.events"
check "a keys process that dies is noticed, and both start again" wait_for 15 sh -c "[ \$(grep -c '\"server.ready\"' '$C/b/server.events') -ge 3 ]"
finish
