#!/bin/bash
# SPDX-License-Identifier: MIT
# Three of the nine things that two logs of the same exchanges show against one another, as they come about between
# real nodes: a consumer that lost its own requests (2), an answer older than the request in its log (8), a clock
# that is wrong (9). The others: 1, 3 and 4 to 7 in test_reconcile, 4 in test_epoch too.
. "$(dirname "$0")/lib.sh"
AUDIT=$BIN/chaski-audit
A=CO/MUN/890905211
B=CO/GOV/899999027
D=CO/MUN/890399011
S=$B/DIVIPOLA/uno
CHECKPOINT_MS=200
PUBLISH_MS=400
START_CHECK_MS=300
two_members $S
member_make c $D/SS1 "Cali" TRAMITES >/dev/null
publish
for node in a b c; do
    printf 'reconcile_hour = -1\nreconcile_every_ms = 86400000\nreconcile_grace_ms = 100\n' >>"$C/$node/server.conf"
done
start() { servers_start "$1"; }
gateway_b() { stand_in_start b $B/DIVIPOLA; gateway_pid=$stand_in; }
ask() { timeout 40 "$PEER" ask "ipc://$C/a/front" $A/TRAMITES $S "$1" "$2" 2>/dev/null; }
reconcile() { timeout 150 "$BIN/chaski" reconcile --config "$C/$1/server.conf" "${@:2}" 2>&1; }
reported() { # TYPE: how many $C/report.json tells of
    jq "[.. | objects | select(.type? == $1 and has(\"count\")) | .count] | add // 0" "$C/report.json"; }
verify() { "$AUDIT" verify "$@" >"$C/said" 2>&1; echo $?; }
said() { check "$1" contains "$(cat "$C/said")" "$2"; }
leaves() { # NODE OTHER: leaf hashes of all hours, sorted
    local hour
    "$AUDIT" leaves "$C/$1/audit" --peer "$2" | cut -d ' ' -f 1 |
        while read -r hour; do "$AUDIT" leaves "$C/$1/audit" --peer "$2" --hour "$hour"; done | sort
}
alike() { diff <(leaves a $B/SS1) <(leaves b $A/SS1); }
start a
start b
gateway_b
check "exchanges, many at a time" contains "$(ask 200 16)" "OK                   200"

# --- 8: the request was put in after it had been answered -----------------------------------------------
server_stop a
server_stop b; kill "$gateway_pid" 2>/dev/null; wait "$gateway_pid" 2>/dev/null
sleep 2.1
check "honest logs are clean" equal "$(verify "$C/a/audit" "$C/b/audit") $(grep -A 1 FINDING "$C/said")" "0 "
cp -r "$C/b/audit" "$C/moved"
"$AUDIT" show "$C/moved" --json |
    jq -r '[.[] | select(.kind == "request" or .kind == "response")] | group_by(.exchange)[] | select(length == 2) |
        sort_by(.index) | map(.index) | join(" ")' >"$C/pairs"
# The first request of which the answer's own signed size of the log leaves another entry between the two trades its
# place with that one, under right checksums.
moved=$(perl -e 'my @t = map { my $c = $_; $c = $c & 1 ? $c >> 1 ^ 0x82f63b78 : $c >> 1 for 1 .. 8; $c } 0 .. 255;
    my ($file, $pairs) = @ARGV;
    open(my $in, "<:raw", $file) or die; local $/; my $log = <$in>;
    my ($at, @leaf) = (0);
    while (my $n = unpack("N", substr($log, $at, 4))) { push @leaf, substr($log, $at + 16, $n); $at += 16 + $n }
    open(my $list, "<", $pairs) or die;
    for (split /\n/, <$list>) {
        my ($request, $answer) = split / /;
        my ($size) = $leaf[$answer] =~ /\x59(.{8})\x62\x20/s or next;
        $size = unpack("Q<", $size);
        next if $size <= $request or $size >= $answer;
        @leaf[$request, $size] = @leaf[$size, $request];
        open(my $out, "+<:raw", $file) or die;
        for my $i (0 .. $#leaf) {
            my $body = pack("Q>", $i) . $leaf[$i];
            my $crc = 0xffffffff;
            $crc = $crc >> 8 ^ $t[($crc ^ $_) & 255] for unpack("C*", $body);
            print $out pack("N N", length $leaf[$i], $crc ^ 0xffffffff), $body;
        }
        print "$size $answer"; last;
    }' "$(ls "$C"/moved/log/1/wal/*.seg)" "$C/pairs")
[ -n "$moved" ] || die "no answer leaves room between itself and its request"
check "a request that was moved behind what its answer was signed over is found" equal "$(verify "$C/moved")" 1
check "... in the answer" contains "$(grep "\[request precedes answer\]" "$C/said")" "${moved#* }"
said "... with what its signer had signed" "the request that it answers is entry ${moved% *}, but when it was signed the log had ${moved% *} entries"
said "... as type 8" "(type 8: record behind a head that is later)"

# --- 2: the consumer lost its own requests ---------------------------------------------------------------
cp -r "$C/a/audit" "$C/old"
start a
start b
gateway_b
check "exchanges that are lost then" contains "$(ask 3 3)" "OK                   3"
sleep 0.3
leaves b $A/SS1 >"$C/leaves-b"
server_stop a
server_stop b; kill "$gateway_pid" 2>/dev/null; wait "$gateway_pid" 2>/dev/null
rm -rf "$C/a/audit"
cp -r "$C/old" "$C/a/audit"
start a # nobody is there who knows more
start b
gateway_b
sleep 2.5 # an auditor leaves out what is younger than two seconds
leaves a $B/SS1 >"$C/leaves-a"
comm -3 "$C/leaves-a" "$C/leaves-b" | tr -d '\t' | sort >"$C/comm"
check "a consumer that came back with an older copy lacks six leaves" equal "$(wc -l <"$C/comm")" 6
check "an auditor finds that" equal "$(verify "$C/a/audit" "$C/b/audit")" 1
check "... of each request" equal "$(grep -c "request of $A/SS1 is not in its own log (type 2: request only at provider)" "$C/said")" 3
reconcile a --peer $B/SS1 --json >"$C/report.json"
check "its own comparison names its own requests" equal "$(reported 2)" 3
check "... and their answers" equal "$(reported 3)" 3
said_by_report=$(reconcile a --report --all --peer $B/SS1 | tr -s ' \n' ' ')
check "... says what that means" contains "$said_by_report" "The consumer has lost or keeps back its own act"
check "... and what to do" contains "$said_by_report" "The consumer's signature convicts it."
wait_for 10 alike
check "then both hold the same leaves again" alike
verify "$C/a/audit" "$C/b/audit" >/dev/null
said "that it had lost its own acts stays found" "that this server itself had signed was missing"

# --- 9: a clock that is wrong ----------------------------------------------------------------------------
# (the sanitizers want to be loaded first, so this is for a plain build)
if [[ $OUT == *san ]] || ! gcc -shared -fPIC -O1 -o "$C/shift.so" "$ROOT/tests/tools/shift.c"; then
    skip "a clock that is wrong" "no other clock can be made for a program here"
else
    LD_PRELOAD=$C/shift.so SHIFT_S=-90 server_start c || die "server c: $(tail -n 1 "$C/c/server.events")"
    timeout 40 "$PEER" ask "ipc://$C/c/front" $D/TRAMITES $S 1 1 >"$C/asked" 2>&1
    check "an answer that is dated 90 s ahead of one's own clock is refused" grep -q FROM_FUTURE "$C/asked"
    reconcile c --peer $B/SS1 --json >"$C/report.json"
    check "a comparison names the clocks" test "$(reported 9)" -ge 1
    check "... in words" contains "$(reconcile c --report --all --peer $B/SS1)" "clocks apart"
    server_stop c
    server_stop b
    verify "$C/c/audit" "$C/b/audit" >/dev/null
    said "... so does an auditor" "(type 9: clocks apart)"
fi
finish
