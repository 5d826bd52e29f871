#!/bin/bash
# SPDX-License-Identifier: MIT
# A node that knows nothing begins with the newest snapshot, at an address that has all acts, and at one that has
# itself only what is behind a snapshot. It fills in the acts before, restarts without any network at each stage,
# and says so when an audit needs what it does not hold yet. A snapshot that nobody vouched for is not used.
. "$(dirname "$0")/lib.sh"
LIAR=$OUT/tests/web_liar
country_make >/dev/null
member_make a CO/MUN/890905211/SS1 "Medellín" TRAMITES >/dev/null
member_make b CO/GOV/899999027/SS1 "DANE" DIVIPOLA >/dev/null
echo '{"valid_days": 30, "snapshot_every": 100}' >"$C/store/settings.json"
"$OUT/tests/country_fill" "$C/store" 900 1 1 2>/dev/null || die "the country cannot be filled"
publish || die "not published"
for i in 1 2 3; do registry purpose add "P-1$i" --title "Otra $i" --legal-basis "Ley de prueba" >/dev/null; publish; done
snapshot=$(cat "$C/directory/snapshot/newest")
check "there is a snapshot of more than three bundles" test "$snapshot" -gt 768
W=$C/web P=$C/part
web_port=$(free_port); part_port=$(free_port)
cp -r "$C/directory" "$W"
"$OUT/tests/directory_voice" heartbeat "$C/store" "$W" 0 || die "no heartbeat"
cp -r "$W" "$P" # as a node's own folder, a moment after its first start
rm "$P"/tile/entries/00[012]
"$BIN/chaski-registry" anchor "$C/store" --url "http://127.0.0.1:$web_port" --days 2 --to "$C/whole.anchor" >/dev/null || die "no anchor"
"$BIN/chaski-registry" anchor "$C/store" --url "http://127.0.0.1:$part_port" --days 2 --to "$C/part.anchor" >/dev/null || die "no anchor"
declare -A web
serve() { # PORT FOLDER
    [ -z "${web[$1]:-}" ] || { kill -9 "${web[$1]}"; wait "${web[$1]}" 2>/dev/null; }
    web[$1]=
    [ -n "${2:-}" ] || return 0
    "$LIAR" "$1" "$2" honest "$C/posted" & web[$1]=$!; pids+=($!)
    wait_for 10 curl -fsS -o /dev/null "http://127.0.0.1:$1/directory/checkpoint"
}
follow() { # NAME ANCHOR
    sed -i -e '/^directory_folder\|^trust_file\|^authority_file\|^anchor_file\|^directory_/d' "$C/$1/server.conf"
    printf 'anchor_file = "%s"\ndirectory_poll_ms = 300\n' "$C/$2.anchor" >>"$C/$1/server.conf"
}
start() { server_start "$1" 30 || die "server $1: $(tail -n 2 "$C/$1/server.events")"; }
epoch_of() { sed -n 2p "$C/$1/audit/directory/checkpoint"; }
is_at() { [ "$(epoch_of "$1")" = "$2" ]; }
entries() { (cd "$1/tile/entries" && echo *); }
full() { (cd "$1/tile" && find . -type f ! -path '*.p/*' | sort); }
same_tiles() { # COPY PUBLISHED: all full tiles, and of those that are not full what the copy ever held
    [ "$(full "$1")" = "$(full "$2")" ] && (cd "$1/tile" && find . -type f -print0 | xargs -0 -I{} cmp {} "$2/tile/{}")
}

# at an address that has no more than what is behind a snapshot: what another node shows
serve "$part_port" "$P"
follow b part
start b
check "a node begins with a snapshot" contains "$(grep '"follow.begun"' "$C/b/server.events")" "\"snapshot\":$snapshot"
check "... and uses what it leads to" is_at b "$(sed -n 2p "$W/checkpoint")"
check "... also from an address that lacks the acts before, which it says" wait_for 15 grep -q '"follow.older_not_had".*NOT_FOUND' "$C/b/server.events"
check "it is marked: nobody has folded what it begins with" test -e "$C/b/audit/directory/snapshot/not_folded"
check "it holds what came behind the snapshot alone" equal "$(entries "$C/b/audit/directory")" "$(entries "$P")"
server_stop b
"$BIN/chaski-audit" verify "$C/b/audit" >"$C/said" 2>&1; status=$?
check "an audit that needs the acts before does not say that all is well" test $status -ne 0
check "... but what is missing, and what to do" contains "$(cat "$C/said")" "lacks its first 768 acts"
cp -r "$C/b/audit" "$C/copy"
cp -r "$W/tile/." "$C/copy/directory/tile/"
check "... and with them it does" "$BIN/chaski-audit" verify "$C/copy"

# without any network
serve "$part_port"
start b
check "it starts from its own disk" is_at b "$(sed -n 2p "$W/checkpoint")"
server_stop b
rm -rf "$C/b/audit/followed"
start b
check "... and the follower goes on from what the exchange process has" wait_for 15 cmp "$C/b/audit/followed/checkpoint" "$C/b/audit/directory/checkpoint"

# a change, and then the acts before
registry purpose add P-20 --title "Otra más" --legal-basis "Ley de prueba" >/dev/null; publish
cp -r "$C/directory/." "$P/"; rm "$P"/tile/entries/00[012]
serve "$part_port" "$P"
check "a change is taken by who began with a snapshot" wait_for 20 is_at b "$(sed -n 2p "$C/directory/checkpoint")"
server_stop b
cp "$W"/tile/entries/00[012] "$P/tile/entries/"
start b
check "what came before is filled in" wait_for 30 said_since_start b '"follow.older_had"'
check "... in the copy for auditors too" wait_for 30 said_since_start b '"directory.older_had"'
check "then the snapshot is what they lead to, and the mark goes" wait_for 30 said_since_start b '"directory.snapshot_proved"'
check "... for good" test ! -e "$C/b/audit/directory/snapshot/not_folded"
check "... and nobody is accused" equal "$(grep -c '"directory.snapshot_lied"\|"directory.acts_do_not_hold"\|"directory.not_proved"' "$C/b/server.events")" 0
server_stop b
for copy in followed directory; do
    check "nothing tells it from a whole one then ($copy)" same_tiles "$C/b/audit/$copy" "$C/directory"
done
check "... and an audit verifies it" "$BIN/chaski-audit" verify "$C/b/audit"

# a snapshot that nobody vouched for
cp -r "$C/directory/." "$W/"
newest=$(cat "$W/snapshot/newest")
printf x >>"$W/snapshot/$newest"
serve "$web_port" "$W"
follow a whole
start a
check "a snapshot that nobody vouched for is told of" grep -q '"follow.snapshot_not_used".*vouch' "$C/a/server.events"
check "... and all acts are fetched instead" same_tiles "$C/a/audit/directory" "$C/directory"
server_stop a

# killed at any moment of the beginning
cp -r "$C/directory/snapshot/." "$W/snapshot/"
rm -rf "$C/a/audit"
for i in 1 2 3 4 5 6; do
    "$BIN/chaski-security-server" --config "$C/a/server.conf" 2>>"$C/a/server.events" & pid=$!; pids+=($pid)
    sleep 0.$((RANDOM % 4))$((RANDOM % 9 + 1))
    children=$(pgrep -P $pid)
    kill -9 $pid $children 2>/dev/null
    wait $pid 2>/dev/null
done
start a
check "a beginning that was killed again and again ends well" is_at a "$(sed -n 2p "$C/directory/checkpoint")"
is_proved() { [ ! -e "$C/a/audit/directory/snapshot/not_folded" ] && [ -e "$C/a/audit/directory/snapshot/$(cat "$C/directory/snapshot/newest")" ]; }
check "... and whole" wait_for 60 same_tiles "$C/a/audit/directory" "$C/directory"
check "... and proved" wait_for 30 is_proved
server_stop a
check "... as an audit finds" "$BIN/chaski-audit" verify "$C/a/audit"
serve "$web_port"; serve "$part_port"
finish
