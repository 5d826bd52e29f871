#!/bin/bash
# SPDX-License-Identifier: MIT
# Pruning: the beginning of a log is removed by a recorded act, in whole segments, once its payloads are erased and
# witnesses have confirmed it. Exchanges, cosignatures, proofs, search, export and verify go on; a prune that is
# interrupted at any step is ended by the next start; what is removed otherwise is found.
. "$(dirname "$0")/lib.sh"
PEER=$OUT/tests/front_peer
CHECKPOINT_MS=200
PUBLISH_MS=300
SEGMENT_MIB=1
if [[ $OUT == *san ]] || ! gcc -shared -fPIC -O1 -o "$C/shift.so" "$ROOT/tests/tools/shift.c"; then
    echo "# entries a day old cannot be made here"
    finish
fi
shift_days() { # DAYS: what is started from now on has such a clock; 0: the right one
    if [ "$1" = 0 ]; then unset LD_PRELOAD SHIFT_S; else export LD_PRELOAD=$C/shift.so SHIFT_S=$(($1 * 86400)); fi; }
day_of() { LD_PRELOAD='' date -u -d "$1 days ago" +%Y%m%d; }

shift_days -3
country_make >/dev/null
member_make a CO/MUN/890905211/SS1 "Medellín" TRAMITES >/dev/null
member_make b CO/GOV/899999027/SS1 "DANE" DIVIPOLA >/dev/null
member_make c CO/GOV/800197268/SS1 "DIAN" RUT >/dev/null
member_make d CO/GOV/899999040/SS1 "Registraduría" IDENTIDAD >/dev/null
member_make e CO/MUN/890399011/SS1 "Cali" DATOS >/dev/null
S=CO/GOV/899999027/DIVIPOLA/uno
registry service add $S --class open >/dev/null || die "no service"
registry witness set "${SERVER[b]}" --witness "${SERVER[c]}" --witness "${SERVER[d]}" --quorum 2 >/dev/null || die "no witnesses"
publish
audit() { "$BIN/chaski-audit" "$@"; }
LOG=$C/b/audit/log/1
begin() { # all, and a stand-in gateway
    local m
    for m in a b c d; do server_start $m || die "server $m: $(tail -n 1 "$C/$m/server.events")"; done
    "$PEER" serve "ipc://$C/b/front" CO/GOV/899999027/DIVIPOLA 2>/dev/null &
    pids+=($!)
    wait_for 10 grep -q front.gateway_arrived "$C/b/server.events" || die "no stand-in gateway"
}
halt() { local m; for m in a b c d; do server_stop $m; done; }
ask() { timeout 60 "$PEER" ask "ipc://$C/a/front" CO/MUN/890905211/TRAMITES $S "$1" 16 2>/dev/null; }
cosigned_size() { sed -n 2p "$LOG/cosigned" 2>/dev/null; }
cosigned_beyond() { [ "$(cosigned_size)" -ge "$1" ]; }
erase() { "$BIN/chaski" erase --config "$C/b/server.conf" --ground "plazo vencido" --officer "CC 71000001" "$@"; }
prune() { # MEMBER BEFORE
    "$BIN/chaski" log prune --config "$C/$1/server.conf" --before "$2" --ground "Acuerdo 004, tabla de retención" --officer "CC 71000001" --wait 60; }
said() { "$@" 2>&1; true; }
first_of() { sed -n 2p "$C/$1/audit/log/1/pruned" 2>/dev/null; }
segments_before() { # MEMBER ENTRY: how many there are
    local file count=0
    for file in "$C/$1/audit/log/1/wal/"*.seg; do [ $((10#$(basename "$file" .seg))) -ge "$2" ] || count=$((count + 1)); done; echo $count; }

begin
check "exchanges three days ago" contains "$(ask 1500)" "OK                   1500"
sleep 1
halt
shift_days -2
begin
check "exchanges two days ago" contains "$(ask 1200)" "OK                   1200"
sleep 1
halt
shift_days 0
begin
check "exchanges today" contains "$(ask 300)" "OK                   300"
total=$(sed -n 2p "$LOG/promise")
check "the log has several segments" test "$(ls "$LOG/wal/"*.seg | wc -l)" -ge 3
check "all of it is cosigned" wait_for 30 cosigned_beyond "$((total - 1))"
# indexed before: what goes must go from the index as well
audit search "$C/b/audit" --csv --limit 10000 >"$C/rows.before" 2>/dev/null

middle=$(ls "$LOG/wal" | grep seg | sort | sed -n 2p); middle=$((10#${middle%.seg}))
check "what holds payloads is not pruned" contains "$(said prune b "$middle")" "erase those days first"
check "... and nothing was recorded" equal "$(audit show "$C/b/audit" --kind pruned --json | grep -c '"index"')" 0
for day in $(day_of 3) $(day_of 2); do erase --day "$day" >/dev/null || not_ok "the payloads of $day are erased" "no"; done
check "less than a segment is not pruned" contains "$(said prune b 10)" "no whole segment"
for word in 0 x 2026-13 ''; do "$BIN/chaski" log prune --config "$C/b/server.conf" --before "$word" --ground g --officer o >/dev/null 2>&1; echo $?; done >"$C/statuses"
check "a wrong place is refused" equal "$(sort -u "$C/statuses" | tr '\n' ' ')" "2 "
yesterday=$(date -u -d "1 day ago" +%F)
cp -r "$C/b/audit" "$C/whole"
check "the log before today goes" contains "$(said prune b "$yesterday")" "the log begins at entry"
first=$(first_of b)
check "... up to a segment's beginning" test "${first:-0}" -ge "$middle"
check "... its segments" equal "$(segments_before b "$first")" 0
check "... and its bundles" test ! -e "$LOG/tile/entries/000"
check "... not its hashes" test -s "$LOG/tile/0/000"
check "... nor its checkpoints" test "$(ls "$LOG/cp" | wc -l)" -gt 3
check "... the payload files of days that are over went with it" test ! -e "$C/b/audit/keys/$(day_of 3).slab" -a ! -e "$C/b/audit/payload/$(day_of 3).seg"
check "what is gone says so" contains "$(said audit show "$C/b/audit" 5)" "were pruned, by entry"
check "the act stands in the log" contains "$(audit show "$C/b/audit" "$(sed -n 3p "$LOG/pruned")" --payload --store-key "$C/b/keys/store.key")" "Acuerdo 004"

# everything goes on
check "exchanges go on" contains "$(ask 100)" "OK                   100"
size=$(sed -n 2p "$LOG/promise")
check "witnesses go on" wait_for 30 cosigned_beyond "$size"
server_kill b
server_start b || not_ok "the node starts on a pruned log" "$(tail -n 1 "$C/b/server.events")"
begin_gateway() { "$PEER" serve "ipc://$C/b/front" CO/GOV/899999027/DIVIPOLA 2>/dev/null & pids+=($!); }
begin_gateway
again() { ask 1 | grep -q "OK                   1"; }
check "exchanges go on after a kill" wait_for 20 again
size=$(sed -n 2p "$LOG/promise")
check "... and witnesses" wait_for 30 cosigned_beyond "$size"
# what is read over HTTP of a log whose beginning is gone
cat >>"$C/b/server.conf" <<X
evidence_front = "ipc://$C/b/evidence"
evidence_log = entries
evidence_records = on
X
cat >>"$C/b/gateway.conf" <<X
evidence_server = "ipc://$C/b/evidence"
evidence_listen = {"$HOST:0"}
client "CO/GOV/899999027/DIVIPOLA" { records = on }
X
server_stop b; server_start b; gateway_start b || not_ok "the gateway starts" "$(tail -n 1 "$C/b/gateway.events")"
E_B=http://$(sed -n 's/^evidence_listen=//p' "$C/b/gateway.ready")
status_at() { curl -sS -m 60 -o "$C/got" -w '%{http_code}' "$1"; }
asic() { status_at "$(gateway_url b)/asic?queryId=$1&xRoadInstance=CO&memberClass=GOV&memberCode=899999027&subsystemCode=DIVIPOLA"; }
check "over HTTP a bundle that was pruned is not there" equal "$(status_at "$E_B/log/tile/entries/000")" 404
check "... its hashes are" equal "$(status_at "$E_B/log/tile/0/000")" 200
exchange_of() { audit show "$1" "$2" --json | grep -o '[0-9a-f]\{8\}-[0-9a-f]\{4\}-[0-9a-f]\{4\}-[0-9a-f]\{4\}-[0-9a-f]\{12\}' | head -n 1; }
check "a record that was pruned is not found" equal "$(asic "$(exchange_of "$C/whole" 5)")" 404
check "... one that is left is, though nobody has stamped it" equal "$(asic "$(exchange_of "$C/b/audit" "$((first + 80))")"):$(cat "$C/got")" "500:Message signature has not been timestamped yet!"
gateway_stop b
sleep 1
halt
keys=(--store-key "$C/b/keys/store.key" --store-key "$C/a/keys/store.key")
verdict() { audit verify "$@" "${keys[@]}" >"$C/verdict" 2>&1; echo $?; }
check "the log verifies" equal "$(verdict "$C/b/audit")" 0
check "... and says what was pruned, by which act, on what ground" contains "$(cat "$C/verdict")" "$first entries pruned by entry $(sed -n 3p "$LOG/pruned"); ground: Acuerdo 004"
check "with the whole log of the other side too" equal "$(verdict "$C/b/audit" "$C/a/audit")" 0
check "it is drawn" equal "$(audit report "$C/b/audit" "${keys[@]}" --html "$C/page.html" >"$C/drawn" 2>&1; echo $?)" 0
check "... as clean, with what is left and what is not" contains "$(tr -d , <"$C/page.html")" "<b>What $first entries said</b> that were pruned"
check "... and nothing that could not be read" equal "$(grep -c 'could not be read' "$C/page.html")" 0
audit search "$C/b/audit" --csv --limit 10000 >"$C/rows" 2>"$C/remarks"
check "search goes on" test "$(wc -l <"$C/rows")" -ge 300
check "... without what was pruned" test "$(wc -l <"$C/rows")" -lt "$(wc -l <"$C/rows.before")"
check "... saying that the index was made anew" contains "$(cat "$C/remarks")" "pruned"
audit export "$C/b/audit" "$((first + 3))" --to "$C/record" >/dev/null 2>&1
check "a record that is left proves itself" contains "$(bash "$C/record/verify.sh" "$C/record" 2>&1)" "PASS"
audit export "$C/b/audit" "$(sed -n 3p "$LOG/pruned")" --to "$C/act" >/dev/null 2>&1
check "so does the act, which says what it is" contains "$(bash "$C/act/verify.sh" "$C/act" 2>&1)" "a prune from CO/GOV/899999027 "
check "one that is gone cannot be exported" contains "$(said audit export "$C/b/audit" 7 --to "$C/none")" "were pruned"

# what is removed otherwise is found
X=$C/x
damaged() { rm -rf "$X"; cp -r "$C/b/audit" "$X"; }
finds() { # SENTENCE RULE
    check "$1" equal "$(verdict "$X")" 1
    check "... by rule $2" contains "$(cat "$C/verdict")" "[$2]"; }
damaged; rm "$X/log/1/pruned"
finds "a beginning that nobody pruned" "whole log"
damaged; sed -i '3s/.*/'$((first + 1))'/' "$X/log/1/pruned"
finds "a prune without its act" pruned
damaged; flip "$X/log/1/tile/0/000" 40
finds "another hash of a pruned entry" checkpoint
damaged; next=$(ls "$X/log/1/wal" | grep seg | sort | sed -n 2p)
if [ -n "$next" ]; then
    rm "$X/log/1/wal/$(printf '%020d' "$first").seg"
    finds "more than the act removes" "whole log"
fi
mv "$LOG/pruned" "$C/pruned.kept"
timeout 30 "$BIN/chaski-security-server" --config "$C/b/server.conf" 2>"$C/start.events"
check "a node whose prune is not explained does not start" equal $? 3
check "... and says what to put back" contains "$(cat "$C/start.events")" "Put back the missing segment"
mv "$C/pruned.kept" "$LOG/pruned"

# --- interrupted at each step; a log that nobody else knows
shift_days -3
"$OUT/tests/log_fill" "$C/e/keys" "$C/e/audit" "${SERVER[e]}" CO/MUN/890102018/SS1 9000 1 || die "no log for e"
shift_days 0
server_start e || die "server e: $(tail -n 1 "$C/e/server.events")"
for day in $(ls "$C/e/audit/keys" | sed -n 's/\.slab$//p' | head -n -1); do
    "$BIN/chaski" erase --config "$C/e/server.conf" --ground g --officer o --day "$day" >/dev/null; done
sleep 1
server_stop e
cp -r "$C/e/audit" "$C/e-whole"
server_start e
prune e 8000 >"$C/e.out" 2>&1
check "a log of 9,000 entries is pruned" contains "$(cat "$C/e.out")" "begins at entry"
first=$(first_of e)
sleep 0.5
server_stop e
cp -r "$C/e/audit" "$C/e-pruned"
kept() { (cd "$1" && find log/1/tile/entries log/1/wal keys payload -type f ! -name '*.tmp' | grep -v 'entries/.*\.p/' | sort); }
kept "$C/e-pruned" >"$C/e.kept"
state() { # the record is there, and all that it removes: with the file "pruned" or without
    rm -rf "$C/e/audit"; cp -r "$C/e-pruned" "$C/e/audit"
    cp -rn "$C/e-whole/log/1/wal/." "$C/e/audit/log/1/wal/"
    cp -rn "$C/e-whole/log/1/tile/entries/." "$C/e/audit/log/1/tile/entries/"
    cp -rn "$C/e-whole/keys/." "$C/e/audit/keys/"; cp -rn "$C/e-whole/payload/." "$C/e/audit/payload/"
}
ended() { # SENTENCE: the next start ends it
    server_start e || not_ok "$1" "$(tail -n 1 "$C/e/server.events")"
    server_stop e
    kept "$C/e/audit" >"$C/e.now"
    check "$1" cmp "$C/e.kept" "$C/e.now"
    check "... where it was" equal "$(first_of e)" "$first"
}
state; rm "$C/e/audit/log/1/pruned"
ended "killed after the record: the next start prunes"
state
ended "killed before anything was removed: the next start removes it"
state; rm -f "$C/e/audit/log/1/tile/entries/00"[0-9]; rm -f "$C/e/audit/keys/$(day_of 4).slab"
ended "killed among the bundles: the next start goes on"
state; rm -f "$C/e/audit/log/1/wal/00000000000000000000.seg"
ended "killed among the segments: the next start goes on"
for round in 1 2 3 4 5; do
    rm -rf "$C/e/audit"; cp -r "$C/e-whole" "$C/e/audit"
    server_start e
    prune e 8000 >/dev/null 2>&1 &
    pruning=$!
    sleep "1.$(printf '%03d' $((RANDOM % 400)))"
    server_kill e
    server_start e || not_ok "a prune that was killed leaves a log that starts" "$(tail -n 1 "$C/e/server.events")"
    wait $pruning 2>/dev/null
    at=$(first_of e)
    check "killed at some moment, it is ended or not begun (round $round: ${at:-whole})" equal "$(segments_before e "${at:-0}")" 0
    server_stop e
done

# --- a later epoch: what became of the one before is not pruned away
rm -rf "$C/e/audit"; cp -r "$C/e-whole" "$C/e/audit"
shift_days -3
last=$(ls "$C/e/audit/log/1/wal" | grep seg | sort | tail -n 1)
rm "$C/e/audit/log/1/wal/$last"
"$BIN/chaski" log new-epoch --config "$C/e/server.conf" --reason "disco perdido" --officer "CC 71000001" >/dev/null
server_start e || die "server e: $(tail -n 1 "$C/e/server.events")"
server_stop e
"$OUT/tests/log_fill" "$C/e/keys" "$C/e/audit" "${SERVER[e]}" CO/MUN/890102018/SS1 6000 1 2 || die "no second epoch for e"
shift_days 0
server_start e || die "server e: $(tail -n 1 "$C/e/server.events")"
told() { audit verify "$C/e/audit" >"$C/verdict" 2>&1; grep -c "^FINDING .*\[$1\]" "$C/verdict"; }
check "the lost end of an epoch is found" equal "$(told "lost tail")" 1
for day in $(ls "$C/e/audit/epoch/2/keys" | sed -n 's/\.slab$//p' | head -n -1); do
    "$BIN/chaski" erase --config "$C/e/server.conf" --ground g --officer o --day "$day" >/dev/null; done
sleep 1
prune e 5000 >"$C/e.out" 2>&1
check "the next epoch is pruned" contains "$(cat "$C/e.out")" "begins at entry"
sleep 0.5
server_stop e
check "... its first segment is gone" test ! -e "$C/e/audit/log/2/wal/00000000000000000000.seg"
check "... its first record is not" test -s "$C/e/audit/log/2/first.leaf"
check "the lost end is found as before" equal "$(told "lost tail")" 1
check "... and who closed the epoch has said so" equal "$(told epoch)" 0
check "... as that record, read by hand, says" contains "$(openssl cms -verify -noverify -nosigs -inform DER -in "$C/e/audit/log/2/first.leaf" -certfile "$C/e/keys/sign.crt" 2>/dev/null |
    xxd -p | tr -d '\n')" "$(printf %s "${SERVER[e]}" | xxd -p)"
server_start e || not_ok "the node starts on a pruned epoch" "$(tail -n 1 "$C/e/server.events")"
server_stop e
rm "$C/e/audit/log/2/first.leaf"
check "without it that is found" equal "$(told epoch)" 1
check "... and the lost end too, by what its own files hold" equal "$(told "lost tail")" 1

# --- by settings
rm -rf "$C/e/audit"; cp -r "$C/e-whole" "$C/e/audit"
sed -i 's/^retention_days.*//; s/^log_days.*//' "$C/e/server.conf"
printf 'retention_days = 1\nlog_days = 1\n' >>"$C/e/server.conf"
server_start e || die "server e: $(tail -n 1 "$C/e/server.events")"
by_itself() { [ -n "$(first_of e)" ]; }
check "log_days prunes by itself" wait_for 20 by_itself
server_stop e
check "... as an act, with that ground" contains \
    "$(audit show "$C/e/audit" "$(sed -n 3p "$C/e/audit/log/1/pruned")" --payload --store-key "$C/e/keys/store.key")" "log retention of 1 days"
finish
