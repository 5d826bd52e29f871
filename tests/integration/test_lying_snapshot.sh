#!/bin/bash
# SPDX-License-Identifier: MIT
# Who holds the keys of acts and of the log, and no operator's, vouches for a snapshot of a state that no act leads
# to, or for acts that nobody approved. A node that began with it finds out once it has the acts: the lie is told of,
# written down and kept, and no longer gone by; acts that do not hold end the node. Killed or restarted in between,
# it finds out all the same; so does an auditor.
. "$(dirname "$0")/lib.sh"
LIAR=$OUT/tests/web_liar
ACT=$OUT/tests/directory_act
CHECKPOINT_MS=300
two_members
"$OUT/tests/country_fill" "$C/store" 900 1 1 2>/dev/null || die "the country cannot be filled"
cp -r "$C/store" "$C/evil"; rm -f "$C/evil/lock"
cp -r "$C/store" "$C/alone"; rm -f "$C/alone/lock"
port=$(free_port); lone_port=$(free_port)
for to in "$port whole" "$lone_port lone"; do
    "$BIN/chaski-registry" anchor "$C/store" --url "http://127.0.0.1:${to% *}" --days 2 --to "$C/${to#* }.anchor" >/dev/null || die "no anchor"
done
registry $(restriction_words "$S") >/dev/null || die "no restriction"
"$ACT" snapshot "$C/store" "$C/evil" "$C/directory" || die "no lie"
size=$(cat "$C/directory/snapshot/newest")
W=$C/web # that shows what came behind the snapshot alone
cp -r "$C/directory" "$W"; rm "$W"/tile/entries/00[012]
"$LIAR" "$port" "$W" honest "$C/posted" & pids+=($!)
wait_for 10 curl -fsS -o /dev/null "http://127.0.0.1:$port/directory/checkpoint"
follow() { # NAME ANCHOR
    sed -i -e '/^directory_folder\|^trust_file\|^authority_file\|^anchor_file\|^directory_/d' "$C/$1/server.conf"
    printf 'anchor_file = "%s"\ndirectory_poll_ms = 300\n' "$C/$2.anchor" >>"$C/$1/server.conf"
}
follow a whole; follow b whole
mark=audit/directory/snapshot/not_folded
ask() { timeout 20 "$PEER" ask "ipc://$C/a/front" CO/MUN/890905211/TRAMITES "$S" 1 1 2>/dev/null | awk 'NR == 2 { print $1 }'; }
is_answered() { [ "$(ask)" = "$1" ]; }
incidents() { "$BIN/chaski-audit" show "$C/$1/audit" --kind incident --json 2>/dev/null | grep -c '"index"'; }
has_incidents() { [ "$(incidents "$1")" = "$2" ]; }
since_start() { tail -n "+$(($(cat "$C/$1/server.mark") + 1))" "$C/$1/server.events"; }
begin() { # NODE...
    servers_start "$@"
    stand_in_start b CO/GOV/899999027/DIVIPOLA
}

is_spoilt() { # WHAT
    rm -f "$C/b/server.ready"
    timeout 20 "$BIN/chaski-security-server" --config "$C/b/server.conf" >/dev/null 2>"$C/refused"; status=$?
    check "a spoilt copy is not used ($1)" equal $status 3
    check "... under a name of its own" grep -q '"server.failed".*DIRECTORY_DAMAGED' "$C/refused"
    check "... which accuses nobody" equal "$(grep -c 'DIRECTORY_BAD\|in other hands' "$C/refused")" 0
    check "... and says what to do" contains "$(cat "$C/refused")" "move $C/b/audit/directory away and start"
}

# before the acts are there
begin a b
check "a node that begins with a lie is marked" test -e "$C/b/$mark"
check "... and goes by it: nobody can tell yet" wait_for 15 is_answered OK
servers_stop b
kill "$stand_in"; wait "$stand_in" 2>/dev/null
cp "$C/b/audit/directory/snapshot/$size" "$C/snapshot"
printf 'XX' | dd of="$C/b/audit/directory/snapshot/$size" bs=1 seek=500 conv=notrunc 2>/dev/null
is_spoilt "a snapshot"
cp "$C/snapshot" "$C/b/audit/directory/snapshot/$size"
begin b
check "... also after a restart" wait_for 15 is_answered OK
check "... still marked" test -e "$C/b/$mark"
servers_stop a b
kill "$stand_in"; wait "$stand_in" 2>/dev/null

# the acts come
cp "$C/directory"/tile/entries/00[012] "$W/tile/entries/"
begin a b
for node in a b; do
    check "with the acts the lie is told of ($node)" wait_for 40 said_since_start $node '"directory.snapshot_lied"'
    check "... and written down" wait_for 15 has_incidents $node 1
    check "... and kept, under a name that nothing begins with" wait_for 15 cmp "$C/directory/snapshot/$size" "$C/$node/audit/directory/snapshot/$size.lied"
    check "... and nothing is left to be proved then" wait_for 15 test ! -e "$C/$node/$mark"
done
check "what the lie allowed is refused" contains "$(ask)" ACCESS_DENIED
check "the event says whose fault it is" grep -q '"directory.snapshot_lied".*the authority.*remedy' "$C/b/server.events"
servers_stop a b
kill "$stand_in"; wait "$stand_in" 2>/dev/null
"$BIN/chaski-audit" verify "$C/b/audit" >"$C/said" 2>&1
check "an audit of the node finds it too" contains "$(grep -A 1 FINDING "$C/said")" "[directory snapshot]"
check "... once" equal "$(grep -c FINDING "$C/said")" 1

# a bundle is spoilt in a copy that is whole: with the mark and without it that accuses nobody
cp -r "$C/b/audit/directory" "$C/sound"
printf 'XX' | dd of="$C/b/audit/directory/tile/entries/001" bs=1 seek=5000 conv=notrunc 2>/dev/null
touch "$C/b/$mark"; is_spoilt "a bundle, marked"
rm "$C/b/$mark"; is_spoilt "a bundle, not marked"
mv "$C/b/audit/directory" "$C/spoilt"
check "... which helps" server_start b 30
server_stop b
rm -rf "$C/b/audit/directory"; mv "$C/sound" "$C/b/audit/directory"

# killed before the lie was set aside, and before the mark was removed
touch "$C/b/$mark"
mv "$C/b/audit/directory/snapshot/$size.lied" "$C/b/audit/directory/snapshot/$size"
touch "$C/a/$mark"
for i in 1 2 3 4 5; do echo rubbish >"$C/a/audit/directory/snapshot/$i"; done # made by hand
mkdir "$C/a/audit/directory/snapshot/6"
begin a b
check "what the acts lead to is used from the start" contains "$(ask)" ACCESS_DENIED
check "the lie is told of again" wait_for 30 has_incidents b 2
check "... and set aside" wait_for 15 test -e "$C/b/audit/directory/snapshot/$size.lied"
for node in a b; do
    check "... and the mark goes ($node)" wait_for 15 test ! -e "$C/$node/$mark"
done
check "what no act vouches for is passed over" equal "$(since_start a | grep -c '"directory.snapshot_unreadable"')" 0
check "... and the state is not read again for it" equal "$(since_start a | grep -c '"directory.taken"')" 1
check "what was set aside is no lie twice" equal "$(incidents a)" 1
servers_stop a b
kill "$stand_in"; wait "$stand_in" 2>/dev/null

# acts that no operator approved
for who in ana blas; do
    "$BIN/chaski-registry" operator key "$C/$who.key" >"$C/$who.pub" || die "no key"
    "$BIN/chaski-registry" operator add "$C/alone" $who --name $who --key "$(cat "$C/$who.pub")" --role enrol --role approve --role publish >/dev/null || die "no operator"
done
"$ACT" unapproved "$C/alone" 300 "$C/unapproved" || die "nothing unapproved"
"$LIAR" "$lone_port" "$C/unapproved" honest "$C/posted" & pids+=($!)
wait_for 10 curl -fsS -o /dev/null "http://127.0.0.1:$lone_port/directory/checkpoint"
rm -rf "$C/a/audit"
follow a lone
is_over() { ! is_child "$(cat "$C/a/server.pid")" || gone "$(cat "$C/a/server.pid")"; }
server_start a 30 || die "server a: $(tail -n 2 "$C/a/server.events")"
check "acts that nobody approved are told of" wait_for 40 said_since_start a '"directory.acts_do_not_hold".*two operators'
check "... and end the node" wait_for 20 is_over
check "... with a word in its log" equal "$(sed -n 's/.*"event":"\(directory.lost\)".*/\1/p' "$C/a/server.events" | tail -n 1)" directory.lost
check "the mark stays" test -e "$C/a/$mark"
rm -f "$C/a/server.ready"
timeout 20 "$BIN/chaski-security-server" --config "$C/a/server.conf" >/dev/null 2>"$C/refused"
check "a start refuses them" contains "$(tail -n 3 "$C/refused")" "it needs two operators"
check "... and says what to do" contains "$(tail -n 3 "$C/refused")" "start with the anchor that it gives you then"
check "... and leaves the mark for the next" test -e "$C/a/$mark"
finish
