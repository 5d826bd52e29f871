#!/bin/bash
# SPDX-License-Identifier: MIT
# A registry is started on an old copy of its store, with an empty folder and no mirror: who follows tells it, it
# ends before it has signed a second history, and does not start on that copy again. The newest store goes on.
. "$(dirname "$0")/lib.sh"
refused() { ! "$@"; }
CHECKPOINT_MS=300
country_make >/dev/null
member_make a CO/MUN/890905211/SS1 "Medellín" TRAMITES >/dev/null
port=$(free_port)
registry anchor --url "http://127.0.0.1:$port" --days 2 --to "$C/chaski.anchor" >/dev/null || die "no anchor"
sed -i -e '/^directory_folder\|^trust_file\|^authority_file/d' "$C/a/server.conf"
printf 'anchor_file = "%s"\ndirectory_poll_ms = 300\nwitness_alarm_ms = 600000\n' "$C/chaski.anchor" >>"$C/a/server.conf"
serve() { # STORE FOLDER
    rm -f "$C/ready"
    "$BIN/chaski-registry" serve "$1" --listen "127.0.0.1:$port" --directory "$2" --authority --ready-file "$C/ready" 2>>"$1.events" &
    pid=$!
    pids+=($pid)
    wait_for 20 test -s "$C/ready" || return 1
    authority_pid=$(sed -n 's/^authority_pid=//p' "$C/ready")
}
serve_stop() { kill "$pid"; wait "$pid" 2>/dev/null; wait_for 10 gone "$authority_pid"; }
size() { sed -n 2p "$1/checkpoint"; }
has() { [ "$(size "$C/a/audit/directory")" = "$1" ]; }

serve "$C/store" "$C/directory" || die "it does not start"
check "nothing of before is no trouble of a first start" refused grep -q nobody_asked "$C/store.events"
server_start a 30 || die "server a: $(tail -n 1 "$C/a/server.events")"
serve_stop
registry backup --to "$C/early" >/dev/null || die "no backup"
early=$(size "$C/directory")
registry purpose add P-20 --title Otra --legal-basis Ley >/dev/null || die "no act"
serve "$C/store" "$C/directory" || die "it does not start again"
newest=$(size "$C/directory")
check "a node follows" wait_for 15 has "$newest"
check "... further than the copy" test "$newest" -gt "$early"
serve_stop

cp -r "$C/early" "$C/alone"; rm -f "$C/alone/lock"
true_port=$port; port=$(free_port) # where nobody who follows tells it anything
serve "$C/alone" "$C/alone-folder" || die "it does not start"
said=$("$BIN/chaski" service add TRAMITES/uno --class open --title Uno --at "http://127.0.0.1:$port" --anchor "$C/chaski.anchor" \
    --server CO/MUN/890905211/SS1 --folder "$C/a/keys" 2>&1)
check "before somebody can tell, no act of a member is taken" contains "$said" "ask again in two minutes"
check "... and nothing is signed" equal "$(size "$C/alone-folder")" "$early"
serve_stop
if [[ $OUT != *san ]]; then
    export WRONG_CLOCK=$C/clock
    echo $((20 * 86400)) >"$C/clock"; rm -rf "$C/alone-folder"
    LD_PRELOAD=$OUT/tests/wrong_clock.so serve "$C/alone" "$C/alone-folder" || die "it does not start"
    check "... also when it is time to publish anew" equal "$(size "$C/alone-folder")" "$early"
    serve_stop
    echo $((40 * 86400)) >"$C/clock"; rm -rf "$C/alone-folder"
    said=$(LD_PRELOAD=$OUT/tests/wrong_clock.so timeout 20 "$BIN/chaski-registry" serve "$C/alone" --listen "127.0.0.1:$port" --directory "$C/alone-folder" --authority 2>&1)
    check "what is not valid any more is not published anew by itself" contains "$said" "it may be an old copy"
    check "... but by a person" env LD_PRELOAD="$OUT/tests/wrong_clock.so" "$BIN/chaski-registry" publish "$C/alone" --to "$C/alone-folder"
fi
port=$true_port

serve "$C/early" "$C/fresh"
check "who starts with an empty folder is told that nobody was asked" grep -q '"registry.nobody_asked"' "$C/early.events"
check "a registry on an old copy hears of it and ends" wait_for 30 gone "$pid"
wait "$pid"; status=$?
check "... not as if all were well" equal $status 1
check "... under its own name" contains "$(grep '^chaski-registry: ' "$C/early.events" | tail -n 1)" "older than one already used: the store is an old copy"
check "... with words" contains "$(cat "$C/early.events")" "who follows holds acts that this store does not"
check "... and has signed no other history" equal "$(size "$C/fresh")" "$early"
check "the node says whom it told" grep -q '"follow.address_behind"' "$C/a/server.events"
said=$("$BIN/chaski-registry" serve "$C/early" --listen "127.0.0.1:$port" --directory "$C/fresh" --authority 2>&1); status=$?
check "it does not start on that copy again" equal $status 1
check "... and says why" contains "$said" "the store is an old copy"
check "... by which signature" contains "$said" "signed with the key of acts"
check "what was not signed by this directory's key tells it nothing" has "$newest"
serve "$C/store" "$C/directory" || die "the newest store does not start"
printf 'x\n1\nAAAA\n\n— x AAAA\n' >"$C/garbage"
status=$(curl -s -o "$C/body" -w '%{http_code}' --data-binary @"$C/garbage" "http://127.0.0.1:$port/directory/head")
check "a head of nobody is refused" test "$status" -ge 400
status=$(curl -s -o "$C/body" -w '%{http_code}' --data-binary @"$C/a/audit/directory/checkpoint" "http://127.0.0.1:$port/directory/head")
check "the newest one is taken" equal "$status" 200
check "... and the registry goes on" equal "$(curl -s -o /dev/null -w '%{http_code}' "http://127.0.0.1:$port/healthz")" 200
rm "$C/directory/heartbeat"; mkdir "$C/directory/heartbeat" # what is written last does not go through
"$BIN/chaski" service add TRAMITES/uno --class open --title Uno --anchor "$C/chaski.anchor" --server CO/MUN/890905211/SS1 --folder "$C/a/keys" >/dev/null 2>&1
check "a head can be shown before the registry knows that it is" test "$(size "$C/directory")" -gt "$newest"
status=$(curl -s -o "$C/body" -w '%{http_code}' --data-binary @"$C/directory/checkpoint" "http://127.0.0.1:$port/directory/head")
check "... and who shows it that one does not stop it" equal "$status" 200
rmdir "$C/directory/heartbeat"
serve_stop
registry purpose add P-21 --title Otra --legal-basis Ley >/dev/null || die "no act"
serve "$C/store" "$C/directory" || die "it does not start again"
check "the newest store goes on, and nodes with it" wait_for 30 has "$(size "$C/directory")"
check "... without a fork" refused grep -q 'conflict_kept.*fork' "$C/a/server.events"
serve_stop
server_stop a
finish
