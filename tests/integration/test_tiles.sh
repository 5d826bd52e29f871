#!/bin/bash
# SPDX-License-Identifier: MIT
# The static form of a log: tiles that a checker who shares nothing with us accepts, written while the node
# runs; a scribe that dies, or finds damaged tiles, makes them again.
. "$(dirname "$0")/lib.sh"
CHECKPOINT_MS=200
PUBLISH_MS=300
two_members
publish
servers_start a b
stand_in_start b CO/GOV/899999027/DIVIPOLA
ask() { timeout 30 "$PEER" ask "ipc://$C/a/front" CO/MUN/890905211/TRAMITES $S "$1" 8 2>/dev/null; }
LOG=$C/a/audit/log/1
size() { sed -n 2p "$LOG/checkpoint"; }
promised() { sed -n 2p "$LOG/promise"; }
caught_up() { [ "$(size)" = "$1" ] && [ "$(promised)" = "$1" ]; }
tlog_check() { bash "$ROOT/tests/tools/tlog_check.sh" "$LOG" "$(cat "$C/a/audit/anchor/log.vkey")"; }

check "tiles are there as soon as the log has begun" wait_for 5 test -s "$LOG/checkpoint"
check "exchanges" contains "$(ask 10)" "OK                   10"
check "the tiles follow while the node runs" wait_for 5 caught_up 21
check "a checker that was written from the specification alone accepts them" equal "$(tlog_check)" "ok 21"
check "exchanges until a bundle is full" contains "$(ask 130)" "OK                   130"
check "the tiles follow" wait_for 5 caught_up 281
check "the checker accepts a full bundle and a part of one" equal "$(tlog_check)" "ok 281"
check "the parts that the full one replaced are gone" test ! -e "$LOG/tile/entries/000.p"

scribe_pid() { pgrep -P "$(cat "$C/a/server.pid")" -f . | while read -r p; do [ "$(cat "/proc/$p/comm")" = chaski-scribe ] && echo "$p"; done; }
kill -9 "$(scribe_pid)"
check "without the scribe exchanges go on" contains "$(ask 10)" "OK                   10"
check "a scribe that dies is started again and goes on" wait_for 10 caught_up 301
check "... with the same tiles" equal "$(tlog_check)" "ok 301"
server_stop a
check "the server stops as asked" equal $? 0
check "the static form ends where the log ends" equal "$(size)" "$(promised)"

flip "$LOG/tile/0/001.p/$(($(size) - 256))" 40
check "the checker sees a flipped byte" contains "$(tlog_check)" "does not hash into its tile"
server_start a || die "server a again: $(tail -n 1 "$C/a/server.events")"
check "a start says that its tiles are damaged, and believes the segments" grep -q start.tiles_damaged "$C/a/server.events"
check "damaged tiles are made anew from the segments" wait_for 5 grep -q scribe.tiles_made_anew "$C/a/server.events"
wait_for 5 caught_up 303
check "... and are whole" equal "$(tlog_check)" "ok 303"
server_stop a
finish
