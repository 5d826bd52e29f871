#!/bin/bash
# SPDX-License-Identifier: MIT
# Who holds the authority's keys shows a node that begins a history of its own, with operators of its own: all of it
# holds. The node hears of the other one from the first peer that is further: the fork is refused, both notes are kept
# as proof, it is written down, and exchanges go on.
. "$(dirname "$0")/lib.sh"
refused() { ! "$@"; }
LIAR=$OUT/tests/web_liar
CHECKPOINT_MS=300
two_members
cp -r "$C/store" "$C/evil"; rm -f "$C/evil/lock"
named() { # STORE WHO...
    for who in "${@:2}"; do
        "$BIN/chaski-registry" operator key "$C/$who.key" >"$C/$who.pub" || die "no key"
        "$BIN/chaski-registry" operator add "$1" "$who" --name "$who" --key "$(cat "$C/$who.pub")" --role approve --role publish >/dev/null || die "no operator"
    done
}
show() { # STORE FOLDER
    "$BIN/chaski-registry" publish "$C/$1" --to "$C/$2" >/dev/null || die "not published"
    "$OUT/tests/directory_voice" heartbeat "$C/$1" "$C/$2" 0 || die "no heartbeat"
}
purpose() { "$BIN/chaski-registry" purpose add "$C/$1" "$2" --title T --legal-basis Ley --as "$C/$3.key" >/dev/null || die "no purpose"; }
named "$C/store" ana blas; named "$C/evil" mal lory
purpose store R-1 ana; show store directory; show evil forged
follow() { # NODE STORE FOLDER
    local port; port=$(free_port)
    "$BIN/chaski-registry" anchor "$C/$2" --url "http://127.0.0.1:$port" --days 2 --to "$C/$1.anchor" >/dev/null || die "no anchor"
    "$LIAR" "$port" "$C/$3" honest "$C/posted-$1" & pids+=($!)
    wait_for 10 curl -fsS -o /dev/null "http://127.0.0.1:$port/directory/checkpoint"
    sed -i -e '/^directory_folder\|^trust_file\|^authority_file\|^anchor_file\|^directory_/d' "$C/$1/server.conf"
    printf 'anchor_file = "%s"\ndirectory_poll_ms = 300\n' "$C/$1.anchor" >>"$C/$1/server.conf"
}
follow a store directory; follow b evil forged
ask() { timeout 20 "$PEER" ask "ipc://$C/a/front" CO/MUN/890905211/TRAMITES "$S" 1 1 2>/dev/null | awk 'NR == 2 { print $1 }'; }
is_answered() { [ "$(ask)" = OK ]; }
told() { grep -q '"directory.conflict_kept".*fork' "$C/$1/server.events"; }
incidents() { "$BIN/chaski-audit" show "$C/$1/audit" --kind incident --json 2>/dev/null | grep -c '"index"'; }
written() { [ "$(incidents "$1")" -ge 1 ]; }
servers_start a b
stand_in_start b CO/GOV/899999027/DIVIPOLA
check "a node that was shown another history exchanges by it" wait_for 15 is_answered
check "the first peer that is further makes it known" wait_for 20 told b
check "... in its log" wait_for 15 written b
check "... with both notes as proof" equal "$(find "$C/b/audit/conflicts" -name '*.checkpoint' | wc -l)" 2
check "... and the other one's acts" cmp "$C/a/audit/directory/checkpoint" "$C/b/audit/refused/peer/checkpoint"
check "... and it does not go over" equal "$(sed -n 2p "$C/b/audit/directory/checkpoint")" "$(sed -n 2p "$C/forged/checkpoint")"
check "who is further has heard nothing yet" refused told a
for i in 1 2 3; do purpose evil "E-$i" mal; done
show evil forged
is_further() { [ "$(sed -n 2p "$C/b/audit/directory/checkpoint")" = "$(sed -n 2p "$C/forged/checkpoint")" ]; }
wait_for 15 is_further
check "exchanges go on" equal "$(ask)" OK
check "a fork that has grown is told of at the other one" wait_for 20 told a
check "... in its log" wait_for 15 written a
servers_stop a b
check "the fork is told of once" equal "$(incidents a) $(incidents b)" "1 1"
finish
