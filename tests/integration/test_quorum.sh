#!/bin/bash
# SPDX-License-Identifier: MIT
# What `witness assign` gives without options: five witnesses for each log, three of which make a checkpoint
# good. Two may be away; a third one may not.
. "$(dirname "$0")/lib.sh"
PEER=$OUT/tests/front_peer
CHECKPOINT_MS=200
PUBLISH_MS=300
country_make >/dev/null
for i in 1 2 3 4 5 6; do
    member_make "m$i" "CO/GOV/90000000$i/SS1" "Entidad $i" DATOS >/dev/null
done
S=CO/GOV/900000002/DATOS/uno
registry service add $S --class open >/dev/null || die "no service"
said=$(registry publish --to "$C/directory")
check "a directory in which nobody witnesses is published with a warning" contains "$said" "6 of 6 logs have no witnesses"
check "witnesses are assigned to all" contains "$(registry witness assign)" "6 of 6 logs"
said=$(registry publish --to "$C/directory")
silent() { ! grep -q "have no witnesses" <<<"$said"; }
check "... and the warning is gone" silent
policy=$(registry show --policy CO/GOV/900000001/SS1)
check "each log has five" equal "$(grep -c '^witness ' <<<"$policy")" 5
check "... three of which are a quorum" grep -Eq '^group [^ ]+ 3 ' <<<"$policy"
for i in 1 2 3 4 5 6; do
    printf 'witness_alarm_ms = 3000\n' >>"$C/m$i/server.conf"
    server_start "m$i" || die "server m$i: $(tail -n 1 "$C/m$i/server.events")"
done
"$PEER" serve "ipc://$C/m2/front" CO/GOV/900000002/DATOS 2>/dev/null &
pids+=($!)
wait_for 5 grep -q front.gateway_arrived "$C/m2/server.events"
ask() { timeout 30 "$PEER" ask "ipc://$C/m1/front" CO/GOV/900000001/DATOS $S "$1" 4 2>/dev/null; }
LOG=$C/m1/audit/log/1
cosigned_past() { [ "$(sed -n 2p "$LOG/cosigned" 2>/dev/null || echo 0)" -ge "$1" ]; }
cosignatures() { grep -c "^— chaski.witness/" "$LOG/cosigned" 2>/dev/null; }
five() { [ "$(cosignatures)" = 5 ]; }

check "exchanges" contains "$(ask 10)" "OK                   10"
check "a checkpoint is cosigned by a quorum" wait_for 20 cosigned_past 21
check "... in the end by all five" wait_for 20 five
server_stop m3
server_stop m4
check "exchanges" contains "$(ask 10)" "OK                   10"
check "with two of five away there is a quorum" wait_for 40 cosigned_past 41
check "... of three" equal "$(cosignatures)" 3
server_stop m5
check "exchanges" contains "$(ask 5)" "OK                   5"
check "with three away there is none, which becomes an alarm" wait_for 40 grep -q '"anchor.unconfirmed"' "$C/m1/server.events"
check "... and nothing newer is called good" equal "$(sed -n 2p "$LOG/cosigned")" 41
server_start m5
check "with the third again there is" wait_for 60 cosigned_past 51
finish
