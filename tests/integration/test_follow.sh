#!/bin/bash
# SPDX-License-Identifier: MIT
# Nodes follow the directory over the network: from an anchor alone, by poll and by push, from the next address
# when one is down or lies, from a peer when all are. What goes back or is of another history is refused and
# kept; without a fresh word exchanges end; a restart needs no network; a follower that is killed harms nothing.
. "$(dirname "$0")/lib.sh"
PEER=$OUT/tests/front_peer
VOICE=$OUT/tests/directory_voice
LIAR=$OUT/tests/web_liar
CHECKPOINT_MS=300
PUBLISH_MS=600
country_make >/dev/null
member_make a CO/MUN/890905211/SS1 "Medellín" TRAMITES >/dev/null
member_make b CO/GOV/899999027/SS1 "DANE" DIVIPOLA >/dev/null
S=CO/GOV/899999027/DIVIPOLA
registry service add $S/uno --class open >/dev/null || die "no service"
registry service add $S/cerrado >/dev/null || die "no service"
registry $(restriction_words $S/cerrado) >/dev/null || die "no restriction"
publish
W=$C/web # what the authority shows
web_port=$(free_port); liar_port=$(free_port); push_port=$(free_port)
WEB=http://127.0.0.1:$web_port
cp -r "$C/directory" "$W"

# shows: the directory as it is now goes out
show() {
    rm -rf "$W.next"; cp -r "$C/directory" "$W.next"
    cp -f "$W/heartbeat" "$W.next/" 2>/dev/null
    (cd "$W.next" && find . -type f ! -name checkpoint ! -name heartbeat | while read -r f; do mkdir -p "$W/$(dirname "$f")"; cp -f "$f" "$W/$f"; done)
    cp -f "$W.next/checkpoint" "$W/checkpoint.next" && mv "$W/checkpoint.next" "$W/checkpoint"
    rm -rf "$W.next"
}
web_start() {
    "$BIN/chaski-registry" serve "$C/store" --listen "127.0.0.1:$web_port" --directory "$W" 2>>"$C/web.events" &
    web=$!; pids+=($web)
    wait_for 5 curl -fsS -o /dev/null "$WEB/directory/checkpoint"
}
web_stop() { kill "$web"; wait "$web" 2>/dev/null; }
lie() { # FOLDER LIE
    [ -z "${liar:-}" ] || { kill -9 "$liar"; wait "$liar" 2>/dev/null; }
    "$LIAR" "$liar_port" "$1" "$2" "$C/posted" & liar=$!; pids+=($liar)
    sleep 0.2
}
beat_start() { "$VOICE" heartbeat "$C/store" "$W" "${1:-0}" 200 2>/dev/null & beat=$!; pids+=($beat); }
beat_stop() { kill "$beat" 2>/dev/null; wait "$beat" 2>/dev/null; }
"$BIN/chaski" keys transport "$C/push.key" >"$C/push.pub" 2>/dev/null
"$BIN/chaski-registry" anchor "$C/store" --url "http://127.0.0.1:$liar_port" --url "$WEB" \
    --push "tcp://127.0.0.1:$push_port=$(cat "$C/push.pub")" --days 2 --to "$C/chaski.anchor" >"$C/anchor.said" || die "no anchor"
check "the anchor has the same fingerprint at both ends" contains "$("$BIN/chaski" anchor "$C/chaski.anchor")" \
    "$(sed -n 's/^fingerprint: //p' "$C/anchor.said")"

follow_conf() { # NAME STALE_MS: its settings, with an anchor
    sed -i -e '/^directory_folder\|^trust_file\|^authority_file\|^anchor_file\|^directory_/d' "$C/$1/server.conf"
    cat >>"$C/$1/server.conf" <<X
anchor_file = "$C/chaski.anchor"
directory_poll_ms = ${POLL_MS:-300}
directory_stale_ms = $2
directory_stale_open_ms = ${3:-0}
witness_alarm_ms = 1000
X
}

# settings: one way or the other, and a good anchor
cp "$C/a/server.conf" "$C/both.conf"; echo "anchor_file = \"$C/chaski.anchor\"" >>"$C/both.conf"
check "both ways at once are refused" contains "$("$BIN/chaski-security-server" --config "$C/both.conf" --check-config 2>&1)" "either anchor_file"
sed '/^trust_file/d' "$C/a/server.conf" >"$C/less.conf"
check "... and less than one way" contains "$("$BIN/chaski-security-server" --config "$C/less.conf" --check-config 2>&1)" "either anchor_file"
follow_conf a 600000; follow_conf b 600000
check "an anchor passes the check" "$BIN/chaski-security-server" --config "$C/a/server.conf" --check-config
cp "$C/chaski.anchor" "$C/good.anchor"; sed -i 's/"instance": "CO"/"instance": "CO", "more": 1/' "$C/chaski.anchor"
said=$("$BIN/chaski-security-server" --config "$C/a/server.conf" 2>&1); status=$?
check "a broken anchor is refused with exit status 2" equal $status 2
check "... and says what is wrong" contains "$said" "no field of an anchor"
sed 's/"expires": [0-9]*/"expires": 1790000001/; s/"made": [0-9]*/"made": 1790000000/' "$C/good.anchor" >"$C/chaski.anchor"
said=$(timeout 20 "$BIN/chaski-security-server" --config "$C/a/server.conf" 2>&1); status=$?
check "an expired anchor is refused with exit status 2" equal $status 2
check "... and says what to do" contains "$said" "ask the authority for a new one"
cp "$C/good.anchor" "$C/chaski.anchor"

# nobody there yet: it waits, visibly, and goes on by itself
"$BIN/chaski-security-server" --config "$C/a/server.conf" 2>"$C/a/server.events" & pid=$!; pids+=($pid)
check "a node without a directory says that it waits" wait_for 10 grep -q '"directory.awaited"' "$C/a/server.events"
kill $pid; wait $pid; status=$?
check "... and can be stopped" equal $status 0
lie "$W" silent
web_start || die "no web server: $(tail -n 1 "$C/web.events")"
beat_start
server_start a || die "server a: $(tail -n 2 "$C/a/server.events")"
server_start b || die "server b: $(tail -n 2 "$C/b/server.events")"
check "a node begins with its anchor alone" contains "$(grep '"directory.taken"' "$C/a/server.events" | tail -n 1)" followed
check "... and the address that says nothing is told of" wait_for 15 grep -q 'follow.address_failed.*'"$liar_port" "$C/a/server.events"
"$PEER" serve "ipc://$C/b/front" $S 2>/dev/null &
pids+=($!)
wait_for 15 grep -q front.gateway_arrived "$C/b/server.events"
ask() { timeout 20 "$PEER" ask "ipc://$C/a/front" CO/MUN/890905211/TRAMITES "$S/$1" 1 1 2>/dev/null | awk 'NR == 2 { print $1 }'; }
is_answered() { [ "$(ask "$1")" = "$2" ]; }
check "an exchange runs" equal "$(ask uno)" OK
epoch_of() { sed -n 2p "$C/$1/audit/directory/checkpoint"; }
head_of() { sed -n 2p "$C/directory/checkpoint"; }
has() { [ "$(epoch_of "$1")" = "$(head_of)" ]; }
change() { registry service add "$S/$1" --class open >/dev/null; publish; }
beside=$(sed 's/[^ ]* *//' <<<"$(ls "$C/a/audit/anchor" | tr '\n' ' ')")
check "the anchors lie beside the log" contains "$beside" "directory.vkey log.vkey trust.pem"

# each lie of the first address: the second one's directory comes all the same
for what in garbage redirect short huge error tiles drip; do
    lie "$W" $what
    change "con-$what"; show
    check "a change comes while the first address lies ($what)" wait_for 40 has a
done
check "a node says at most once in a while what an address does" equal \
    "$(grep -c '"follow.address_failed"' "$C/a/server.events" | awk '{ print ($1 < 40) }')" 1
lie "$W" honest
change otro; show
check "an address that is good again is used" wait_for 10 has a
check "... and every change came over HTTP" contains "$(grep '"follow.taken"' "$C/a/server.events" | tail -n 1)" "127.0.0.1"

# the key of the year for pseudonyms: each server fetches its own, and no other
year=$(date -u +%Y)
registry subject-key add "$year" >/dev/null && publish && show || die "no key of the year"
held() { grep -q '"subject_key.held"' "$C/$1/server.events"; }
check "the key of the year comes to each follower" wait_for 60 eval "held a && held b"
check "... sealed to it, and no other" equal "$(ls "$C/a/audit/followed/subject-keys/$year")" "$(printf %s CO/MUN/890905211/SS1 | sha256sum | cut -d " " -f 1)"
check "... and is kept" cmp "$C/a/audit/followed/subject-keys/$year/$(ls "$C/a/audit/followed/subject-keys/$year")" "$C/a/audit/subject-keys/$year"

# push: sooner than any poll
servers_stop a b
sed -i 's/^directory_poll_ms.*/directory_poll_ms = 60000/' "$C/a/server.conf" "$C/b/server.conf"
"$VOICE" push "tcp://127.0.0.1:$push_port" "$C/push.key" "$W" 2>>"$C/push.events" & push=$!; pids+=($push)
server_start a; server_start b
check "the first round ends" wait_for 20 has a
sleep 3 # connections of the push stand
change empujado; show
check "a push is taken at once, and not with the next round" wait_for 8 has a
check "... as one" contains "$(grep '"follow.taken"' "$C/a/server.events" | tail -n 1)" '"push"'
kill "$push"; wait "$push" 2>/dev/null
"$VOICE" push "tcp://127.0.0.1:$push_port" "$C/push.key" "$W" 100 2>>"$C/push.events" & push=$!; pids+=($push)
sleep 4
change grande; show
check "a push whose acts do not fit sends the node to the authority" wait_for 15 has a
check "... which says where it came from" contains "$(grep '"follow.taken"' "$C/a/server.events" | tail -n 1)" "http://"
kill "$push"; wait "$push" 2>/dev/null

# gossip: b hears from the header of a request that there is more; nobody else tells it
wait_for 10 has b
kill -STOP "$(pgrep -P "$(cat "$C/b/server.pid")" chaski-follow)"
change chisme; show
kill -HUP "$(cat "$C/a/server.pid")"
check "a hangup asks the authority at once" wait_for 15 has a
before=$(epoch_of b)
check "the other node's follower stands still" equal "$before" "$(epoch_of b)"
wait_for 10 is_answered uno OK
check "a peer whose header names a newer epoch is asked for it" wait_for 15 has b
check "... and the event says so" contains "$(grep '"directory.taken"' "$C/b/server.events" | tail -n 1)" CO/MUN/890905211/SS1
kill -CONT "$(pgrep -P "$(cat "$C/b/server.pid")" chaski-follow)"

# all addresses down: peers are asked in turn
servers_stop a b
sed -i 's/^directory_poll_ms.*/directory_poll_ms = 300/' "$C/a/server.conf" "$C/b/server.conf"
server_start a; server_start b
wait_for 10 has b
kill -STOP "$(pgrep -P "$(cat "$C/b/server.pid")" chaski-follow)"
change vecino; show
wait_for 10 has a
check "when the authority is not heard of, peers are asked" wait_for 15 has b
check "... and give its heartbeat along" wait_for 15 test -s "$C/b/audit/directory/heartbeat"
kill -CONT "$(pgrep -P "$(cat "$C/b/server.pid")" chaski-follow)"

# going back, and another history: refused, kept, told of once
rm -rf "$C/older"; cp -r "$W" "$C/older"; cp -r "$C/store" "$C/forked-store"
change nuevo; show
wait_for 10 has a
incidents() { "$BIN/chaski-audit" show "$C/a/audit" 2>/dev/null | grep -c ' incident '; }
conflicts() { find "$C/a/audit/conflicts" -name '*.checkpoint' 2>/dev/null | wc -l; }
check "nothing contradicts so far" equal "$(conflicts)" 0
web_stop
lie "$C/older" honest
check "an authority that goes back is told of" wait_for 20 grep -q '"directory.conflict_kept".*rollback' "$C/a/server.events"
check "... and its directory is not used" equal "$(epoch_of a)" "$(head_of)"
check "... and both notes are kept" equal "$(conflicts)" 2
sleep 3
check "... and told of once" equal "$(incidents)" 1
"$BIN/chaski-registry" service add "$C/forked-store" $S/falso --class open >/dev/null
"$BIN/chaski-registry" service add "$C/forked-store" $S/falso2 --class open >/dev/null
"$BIN/chaski-registry" service add "$C/forked-store" $S/falso3 --class open >/dev/null
"$BIN/chaski-registry" publish "$C/forked-store" --to "$C/forked" >/dev/null
lie "$C/forked" honest
check "another history is told of" wait_for 20 grep -q '"directory.conflict_kept".*fork' "$C/a/server.events"
check "... and is not used" equal "$(epoch_of a)" "$(head_of)"
sleep 3
check "... and told of once" equal "$(incidents)" 2
kept=$(conflicts)
for i in 4 5 6; do
    "$BIN/chaski-registry" service add "$C/forked-store" "$S/falso$i" --class open >/dev/null
    "$BIN/chaski-registry" publish "$C/forked-store" --to "$C/forked" >/dev/null
    kill -HUP "$(cat "$C/a/server.pid")" # an address that is refused is asked less and less
    more_kept() { [ "$(conflicts)" -gt "$kept" ]; }
    check "a head by which that history grows is kept ($i)" wait_for 20 more_kept
    kept=$(conflicts)
done
sleep 1
check "... and not told of anew within the hour" equal \
    "$(grep -c '"directory.conflict_kept".*fork' "$C/a/server.events") $(incidents)" "1 2"
said=$("$BIN/chaski" status --config "$C/a/server.conf" 2>&1); status=$?
check "its status says what is kept, beneath how it is" equal \
    "$status $(cut -d ' ' -f 1 <<<"$said" | tr '\n' ' ')$(sed -n '2s/^conflicts: \([0-9]*\) signed notes.*/\1/p' <<<"$said")" "0 ready conflicts: $kept"
said=$("$BIN/chaski" status --config "$C/b/server.conf" 2>&1)
check "... also at the other node, which was shown the same" equal "$(sed -n 2p <<<"$said" | cut -d ' ' -f 1)" conflicts:
check "an exchange runs all the while" equal "$(ask uno)" OK
servers_stop a b
said=$("$BIN/chaski-audit" verify "$C/a/audit" "$C/b/audit" --store-key "$C/a/keys/store.key" 2>&1); status=$?
check "both logs verify" equal $status 0
check "... and their incidents say what was signed" contains "$said" "is of another history than"

# a restart without any network: from its own disk, for as long as the grace lasts
kill -9 "$liar"; wait "$liar" 2>/dev/null; liar=
beat_stop
follow_conf a 12000; follow_conf b 12000
sed 's/"expires": [0-9]*/"expires": 1790000001/; s/"made": [0-9]*/"made": 1790000000/' "$C/good.anchor" >"$C/chaski.anchor"
web_start; "$VOICE" heartbeat "$C/store" "$W" 0; touched=$(date +%s)
server_start a || die "server a: $(tail -n 2 "$C/a/server.events")"
check "an expired anchor does not stop a node that follows" said_since_start a '"directory.anchor_expired"'
server_start b
wait_for 10 grep -q . "$C/b/audit/followed/heartbeat"
sleep 1
web_stop
servers_stop a b
"$VOICE" heartbeat "$C/store" "$W" 0 # nobody fetches it
server_start a || die "server a does not start without network: $(tail -n 2 "$C/a/server.events")"
server_start b || die "server b does not start without network"
"$PEER" serve "ipc://$C/b/front" $S 2>/dev/null &
pids+=($!)
wait_for 15 said_since_start b front.gateway_arrived
if [ $(($(date +%s) - touched)) -lt 9 ]; then
    check "a node works on without the authority" equal "$(ask uno)" OK
fi
check "a warning says that nothing fresh is heard" wait_for 15 said_since_start a '"directory.not_fresh"'
check "after the grace exchanges are refused" wait_for 20 is_answered uno DIRECTORY_STALE
gateway_start a >/dev/null 2>&1
ready=$(curl -s -o "$C/ready" -w '%{http_code}' "$(gateway_url a)/readyz")
check "... and the node says that it is not ready" equal "$ready" 503
check "... and why" contains "$(cat "$C/ready")" DIRECTORY_STALE
gateway_stop a
beat_start; web_start
check "with a fresh word they run again" wait_for 20 is_answered uno OK
servers_stop a b

# on the provider's side too
follow_conf a 600000; follow_conf b 600000 3000
beat_stop; web_stop
server_start a; server_start b
"$PEER" serve "ipc://$C/b/front" $S 2>/dev/null &
pids+=($!)
wait_for 15 said_since_start b front.gateway_arrived
check "a provider that has heard nothing fresh refuses" wait_for 15 is_answered uno DIRECTORY_STALE
servers_stop a b

# by class of service
follow_conf a 3000 600000; follow_conf b 3000 600000
server_start a; server_start b
"$PEER" serve "ipc://$C/b/front" $S 2>/dev/null &
pids+=($!)
wait_for 15 said_since_start b front.gateway_arrived
check "a restricted service is refused sooner" wait_for 15 is_answered cerrado DIRECTORY_STALE
check "... than an open one" equal "$(ask uno)" OK

# a heartbeat from tomorrow
"$VOICE" heartbeat "$C/store" "$W" 86400
web_start
check "a heartbeat from the future is told of" wait_for 10 said_since_start a '"directory.clock"'
check "... and counts for now" wait_for 10 sh -c "[ \"\$(timeout 20 '$PEER' ask 'ipc://$C/a/front' CO/MUN/890905211/TRAMITES $S/cerrado 1 1 2>/dev/null | awk 'NR == 2 { print \$1 }')\" = ACCESS_DENIED ]"
check "... and not for tomorrow" wait_for 15 is_answered cerrado DIRECTORY_STALE
servers_stop a b

# witnesses of the directory
follow_conf a 600000; follow_conf b 600000
web_stop; web_start; rm -f "$W/heartbeat" "$C/posted"; beat_start
"$OUT/tests/directory_act" witnesses "$C/store" 2 "${SERVER[a]}" "${SERVER[b]}" || die "no witnesses of the directory"
publish; show
lie "$W" honest
server_start a; server_start b
wait_for 10 has a; wait_for 10 has b
line_of() { grep -c "^— $(sed 's/+.*//' "$C/$1/keys/witness.vkey") " "$C/posted" 2>/dev/null; }
check "a head that nobody cosigned is used, and after a while there is an alarm" wait_for 10 said_since_start a '"directory.unconfirmed"'
check "both witnesses hand their cosignatures to the authority" wait_for 15 sh -c "[ \"\$(grep -c '^— ' '$C/posted')\" = 2 ]"
check "... one of each" equal "$(line_of a) $(line_of b)" "1 1"
cat "$W/checkpoint" "$C/posted" >"$W/checkpoint.next" && mv "$W/checkpoint.next" "$W/checkpoint"
check "with a quorum in the published note the head is confirmed" wait_for 10 said_since_start a '"directory.confirmed"'
check "... and the copy for auditors has it" wait_for 5 sh -c "[ \"\$(grep -c '^— ' '$C/a/audit/directory/checkpoint')\" = 3 ]"
check "... also beside it, for when the next act has come" wait_for 5 cmp "$C/a/audit/directory/checkpoint" "$C/a/audit/directory/cosigned"
servers_stop a b

# ... and an auditor asks for it
policy_of() { # ANOTHER-KEY-OF-A: whose cosignatures count
    printf 'witness a %s\nwitness b %s\ngroup both 2 a b\nquorum both\n' "$1" "$(cat "$C/b/keys/witness.vkey")"
}
policy_of "$(cat "$C/a/keys/witness.vkey")" >"$C/policy"
"$BIN/chaski" keys make --folder "$C/other.keys" --server "${SERVER[a]}" --name "Otra" --address "tcp://[::1]:1" --request "$C/other.request" >/dev/null || die "no other keys"
policy_of "$(cat "$C/other.keys/witness.vkey")" >"$C/policy.swapped"
audit() { "$BIN/chaski-audit" verify "$@" >"$C/said" 2>&1; }
epoch=$(sed -n 2p "$C/a/audit/directory/checkpoint")
audit "$C/a/audit"
check "an auditor sees the quorum" grep -q "directory of $epoch acts, of which $epoch are confirmed" "$C/said"
audit "$C/a/audit" --directory-policy "$C/policy"
check "... by an own policy too" grep -q "directory of $epoch acts, of which $epoch are confirmed" "$C/said"
check "a policy with another key finds a fork with a witness of its own" sh -c "! '$BIN/chaski-audit' verify '$C/a/audit' --directory-policy '$C/policy.swapped' >'$C/said' 2>&1 && grep -q 'no head of its directory is confirmed' '$C/said'"
cp -r "$C/a/audit" "$C/bare"
rm "$C/bare/directory/cosigned"
sed -i '6,$d' "$C/bare/directory/checkpoint"
audit "$C/bare"
check "a directory without its cosignatures is told of" grep -q 'acts of its directory are not confirmed' "$C/said"
audit "$C/bare" "$C/a/audit"
check "... and confirmed by the folder of another" sh -c "[ \"\$(grep -c 'directory of $epoch acts, of which $epoch are confirmed' '$C/said')\" = 2 ]"

record() { # FOLDER: entry 0 as files; what verify.sh says of it
    rm -rf "$C/record"
    "$BIN/chaski-audit" export "$1" 0 --to "$C/record" >/dev/null 2>&1
    bash "$C/record/verify.sh" "$C/record" "${@:2}" >"$C/said" 2>&1
}
record "$C/a/audit"
check "verify.sh sees the quorum" grep -q '^directory  *ok  *2 of 2 cosigned' "$C/said"
record "$C/a/audit" --directory-policy "$C/policy"
check "... by an own policy too" grep -q '^directory  *ok  *2 of 2 cosigned' "$C/said"
record "$C/a/audit" --directory-policy "$C/policy.swapped"
check "... and another key fails" grep -q '^directory  *FAIL  *1 of 2 cosigned' "$C/said"
record "$C/bare"
check "a record under a directory without cosignatures fails" grep -q '^directory  *FAIL  *0 of 2 cosigned' "$C/said"
printf 'quorum none\n' >"$C/record/directory/policy"
bash "$C/record/verify.sh" "$C/record" >"$C/said" 2>&1
check "... also when less was asked for afterwards" grep -q '^directory  *FAIL  *0 of 0 cosigned, the directory asks for 2' "$C/said"
rm "$C/record/directory/policy"
bash "$C/record/verify.sh" "$C/record" >"$C/said" 2>&1
check "... also when who was asked was taken away" grep -q '^directory  *FAIL  *it asks for 2 cosignatures' "$C/said"
rm -rf "$C/bare" "$C/record"

# a follower that is killed
rm -rf "$C/a/audit/followed"
server_start a
for i in 1 2 3 4 5; do
    change "bajo-fuego-$i"; show
    kill -9 "$(pgrep -P "$(cat "$C/a/server.pid")" chaski-follow)" 2>/dev/null
    sleep 0.$((RANDOM % 9 + 1))
done
check "a follower that is killed again and again comes back" wait_for 60 has a
check "... without anything that was refused" equal "$(tail -n "+$(($(cat "$C/a/server.mark") + 1))" "$C/a/server.events" | grep -c '"directory.refused"')" 0
servers_stop a
check "acts that came since are not cosigned, and the note that is outlives them" equal "$(grep -c '^— ' "$C/a/audit/directory/checkpoint") $(grep -c '^— ' "$C/a/audit/directory/cosigned")" "1 3"
record "$C/a/audit"
check "... so that a record is proved under it" grep -q '^directory  *ok  *2 of 2 cosigned' "$C/said"

kill -9 "$liar"; wait "$liar" 2>/dev/null
none_left() { ! pgrep -f "^$LIAR $liar_port " >/dev/null; }
check "no liar outlives the test" wait_for 5 none_left
finish
