#!/bin/bash
# SPDX-License-Identifier: MIT
# The auditor is not fooled: an honest log is clean, whole, running or killed; each way to mistreat a copy of
# it is a finding with a name, or a remark where honest nodes leave the same behind.
. "$(dirname "$0")/lib.sh"
AUDIT=$BIN/chaski-audit
A=CO/MUN/890905211
B=CO/GOV/899999027
CHECKPOINT_MS=200
two_members $B/DIVIPOLA/uno
registry service add $A/TRAMITES/propio --class open >/dev/null || die "no service"
publish
servers_start a b
for served in "a $A/TRAMITES" "b $B/DIVIPOLA"; do
    stand_in_start "${served% *}" "${served#* }"
done
ask() { timeout 30 "$PEER" ask "ipc://$C/a/front" $A/TRAMITES "$1" "$2" "${3:-1}" "${4:-}" 2>/dev/null; }

# --- what is done to a copy -----------------------------------------------------------------------
X=$C/copy
again() { rm -rf "$X"; cp -r "${1:-$C/good-a}" "$X"; }
segment() { ls "$X"/log/1/wal/*.seg | tail -n 1; }
poke() { printf '%b' "$3" | dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null; } # FILE OFFSET BYTES
frames() { # OFFSET LENGTH of each frame of a segment, and the place after the last
    local at=0 length
    while length=$((16#$(xxd -s $at -l 4 -p "$1"))) && [ $length -gt 0 ]; do
        echo $at $((length + 16))
        at=$((at + length + 16))
    done
    echo $at 0
}
frame() { # FILE INDEX: "OFFSET LENGTH"
    frames "$1" | sed -n "$(($2 + 1))p"
}
cut_frames() { # the last N of the copy's log become zeros
    local file from to
    file=$(segment)
    read -r to _ < <(frames "$file" | tail -n 1)
    read -r from _ < <(frames "$file" | tail -n $(($1 + 1)) | head -n 1)
    dd if=/dev/zero of="$file" bs=1 seek="$from" count=$((to - from)) conv=notrunc 2>/dev/null
}
append_leaf() { # a leaf of another segment FILE at INDEX becomes the copy's next entry, with a right checksum
    local file from length to count body number
    file=$(segment)
    read -r from length < <(frame "$1" "$2")
    body=$(xxd -s $((from + 16)) -l $((length - 16)) -p "$1" | tr -d '\n')
    read -r to _ < <(frames "$file" | tail -n 1)
    count=$(($(frames "$file" | wc -l) - 1))
    number=$(printf '%016x' $count)
    printf '%08x%s%s%s' $((length - 16)) "$(crc32c "$number$body")" "$number" "$body" |
        xxd -r -p | dd of="$file" bs=1 seek="$to" conv=notrunc 2>/dev/null
}
slot() { echo $((64 + 64 * $1)); } # of an index in the first day's slab
slab() { ls "$X"/keys/*.slab | head -n 1; }
set_slot() { slot_set "$(slab)" "$@"; }

# --- what the auditor says ------------------------------------------------------------------------
KEYS=(--store-key "$C/a/keys/store.key" --store-key "$C/b/keys/store.key")
verify() { "$AUDIT" verify "$@" "${KEYS[@]}" >"$C/said" 2>&1; echo $?; }
finds() { # SENTENCE RULE WORDS VERIFY-ARGUMENTS...
    local sentence=$1 rule=$2 words=$3 status; shift 3
    status=$(verify "$@")
    if [ "$status" = 1 ] && grep -F -A 1 "[$rule]" "$C/said" | grep -qF "$words"; then ok "$sentence"; else
        not_ok "$sentence" "status $status, $(grep -A 1 FINDING "$C/said" | head -n 6 | tr '\n' ' ') $(tail -n 1 "$C/said")"
    fi
}
clean() { # SENTENCE VERIFY-ARGUMENTS...
    local sentence=$1; shift
    check "$sentence" equal "$(verify "$@") $(grep -c FINDING "$C/said")" "0 0"
}
remarks() { check "$1" contains "$(grep REMARK "$C/said")" "$2"; }

# --- honest logs ----------------------------------------------------------------------------------
check "exchanges" contains "$(ask $S 12)" "OK                   12"
check "a server's exchanges with itself" contains "$(ask $A/TRAMITES/propio 3)" "OK                   3"
ask $S 1 1 $'P-1\e[2J\n       9  2026-11-21T00:00:00  response' >/dev/null # may be refused, or be logged
for ((i = 0; i < 5; i++)); do
    ask $S 3 >/dev/null
    cp -r "$C/a/audit" "$C/live$i"
    [ "$(verify "$C/live$i")" = 0 ] || not_ok "a copy of a running node's log is clean" "$(grep -A 1 FINDING "$C/said")"
done
ok "copies of a running node's log are clean"
check "a running node's log is clean" equal "$(verify "$C/a/audit")" 0
remarks "... and is said to run on" "no stop"

# two running nodes, copied one after the other
older_and_newer() { # OLDER NEWER
    local moment
    sleep 0.1
    moment=$(date -u +%Y-%m-%dT%H:%M:%S.%3NZ)
    ask $S 3 >/dev/null
    cp -r "$C/$1/audit" "$C/older-$1"
    check "exchanges between two copies" contains "$(ask $S 20)" "OK                   20"
    cp -r "$C/$2/audit" "$C/newer-$2"
    sleep 2.1 # older than what the reading of a running node's log leaves out
    finds "the older copy, of $1, is told" "older copy" "records from beyond that end" "$C/older-$1" "$C/newer-$2"
    check "... in one finding" equal "$(grep -c '^FINDING' "$C/said")" 1
    finds "... also when it comes last" "older copy" "records from beyond that end" "$C/newer-$2" "$C/older-$1"
    check "... in one finding" equal "$(grep -c '^FINDING' "$C/said")" 1
    clean "as of a moment before both copies they are clean" "$C/older-$1" "$C/newer-$2" --as-of "$moment"
    remarks "... and that is said" "up to $moment (--as-of)"
    remarks "... with what was not looked at" "later heads of it, which were not looked at"
    finds "an older copy does not reach it" "older copy" "records from beyond that end" "$C/live0" "$C/newer-b" --as-of "$moment"
}
sleep 0.5 # the last exchanges are in both logs
cp -r "$C/b/audit" "$C/newer-b"
older_and_newer b a
rm -rf "$C/newer-b"
older_and_newer a b
check "a moment that is none is refused" equal "$(verify "$C/live0" --as-of ayer) $(grep -c 'is no time' "$C/said")" "2 1"

# a node that dies with a question under way
pid=${pids[-1]}
kill -STOP "$pid"
ask $S 1 >/dev/null &
sleep 0.6
server_kill a
kill -CONT "$pid"
clean "the log of a node that was killed is clean" "$C/a/audit"
remarks "a request without an outcome is remarked" "1 request without an outcome: entry "
server_start a || die "server a: $(tail -n 1 "$C/a/server.events")"
check "exchanges go on" contains "$(ask $S 5)" "OK                   5"
sleep 0.5
cp -r "$C/b/audit" "$C/before"

# --- a signer revoked while the nodes keep an older directory -------------------------------------
cp -r "$C/store" "$C/forked"
registry certificate revoke --server $A/SS1 --reason "clave perdida" >/dev/null || die "no revocation"
registry publish --to "$C/newer" >/dev/null || die "nothing published"
clean "what was signed before a revocation stays good" "$C/before" --directory "$C/newer"
check "a node with an older directory goes on" contains "$(ask $S 4)" "OK                   4"
server_stop a; check "server a stops as asked" equal $? 0
server_stop b; check "server b stops as asked" equal $? 0
sleep 2.1 # so that what is missing at the other side is not just under way
cp -r "$C/a/audit" "$C/good-a"
cp -r "$C/b/audit" "$C/good-b"
clean "by the older directory nothing is wrong" "$C/good-b"
finds "an entry signed after the revocation is found with a newer directory" revocation "after the certificate of $A/SS1 was revoked" \
    "$C/good-b" --directory "$C/newer"
check "... each of them" equal "$(grep -c '\[revocation\]' "$C/said")" 4
again "$C/good-b"; rm -rf "$X/directory"; cp -r "$C/newer" "$X/directory"
finds "... also when the folder holds it itself" revocation "was revoked" "$X"
again; rm -rf "$X/directory"; cp -r "$C/newer" "$X/directory"
finds "the newest directory of all logs in a run judges all of them" revocation "was revoked" "$C/good-b" "$X"
check "... so that no copy can keep a revocation back" contains "$(grep FINDING "$C/said")" "$C/good-b"

clean "both honest logs are clean" "$C/good-a" "$C/good-b"
check "... with all payloads held" contains "$(cat "$C/said")" "held, 0 sealed, 0 salt, 0 erased, 0 none, 0 damaged"
check "... saying which heads the peers have shown" contains "$(cat "$C/said")" "peers' heads: $B/SS1: "

# --- payloads -------------------------------------------------------------------------------------
again
set_slot 5 00000002 "$NO_KEY"
finds "a payload marked as erased is found" payload "no record of the log says so" "$X"
check "... and counted" contains "$(cat "$C/said")" "1 erased, 0 none"
for ((i = 0; i < 30; i++)); do set_slot $i 00000002 "$NO_KEY"; done
finds "many payloads marked as erased are found" payload "no record of the log says so" "$X"
check "... each of them" equal "$(grep -c 'no record of the log says so' "$C/said")" 30
again; poke "$(slab)" $(($(slot 5) + 12)) '\x00\x00\x00\x02'
finds "a slot that was altered is found" payload "slot of 5 is damaged" "$X"
again; set_slot 5 00000000 "$NO_KEY"
finds "a payload that was never kept is found where all are kept" payload "no payload is held" "$X"
again; poke "$(ls "$X"/keys/*.key)" 20 '\x55\x55'
finds "a day key that was altered is found" payload "the key file of" "$X"
again; rm "$X"/keys/*.key
finds "a day key that was taken away is found" payload "without it no payload of that day opens" "$X"
again; rm -r "$X/payload" "$X/keys"
finds "all payloads and their keys gone is found" payload "no payload is held" "$X"
again; set_slot 5 0076adf1
finds "a state that no node writes is found" payload "" "$X"
"$AUDIT" show "$X" 5 --payload >"$C/shown" 2>&1; status=$?
check "... and shown without harm" equal $status 0

# --- without the store key ------------------------------------------------------------------------
mine=("${KEYS[@]}"); KEYS=()
clean "without a store key a log is clean" "$C/good-a"
check "... with its payloads sealed" contains "$(cat "$C/said")" "payloads: 0 held, $(wc -l < <("$AUDIT" show "$C/good-a")) sealed, 0 salt, 0 erased"
KEYS=(--store-key "$C/b/keys/store.key")
clean "nor does another node's store key make a finding" "$C/good-a"
remarks "... which is remarked" "opened with none of the keys given"
again; poke "$(ls "$X"/payload/*.seg)" 60 '\x55\x55'; KEYS=()
finds "a payload that rots under its seal is found" payload "the payload frame of 0 is damaged" "$X"
day=$(basename "$(slab)" .slab)
"$AUDIT" keys export "$C/good-a" --store-key "$C/a/keys/store.key" --day "$day" >"$C/daykey"
check "a day key can be given to an auditor" equal "$(wc -c <"$C/daykey")" 74
KEYS=(--store-key "$C/daykey")
clean "... with which that day's payloads are checked" "$C/good-a"
check "... all of them" contains "$(cat "$C/said")" "held, 0 sealed, 0 salt, 0 erased"
check "... and shown" contains "$("$AUDIT" show "$C/good-a" 0 --payload "${KEYS[@]}")" "| started"
check "without it they are not" contains "$("$AUDIT" show "$C/good-a" 0 --payload)" "sealed"
"$AUDIT" keys export "$C/good-a" --store-key "$C/b/keys/store.key" --day "$day" >"$C/shown" 2>&1; status=$?
check "another node's store key exports nothing" contains "$status $(cat "$C/shown")" "2 chaski-audit"
KEYS=("${mine[@]}")

# --- the ends of the log --------------------------------------------------------------------------
again; rm "$X/log/1/promise"
finds "a missing checkpoint is found" checkpoint "there is no checkpoint" "$X"
cut_frames 3
finds "... also when entries were cut with it" checkpoint "there is no checkpoint" "$X"
remarks "... whose last record is no stop" "no stop"
rm "$X"/log/1/wal/*.seg
finds "an empty log is found" "whole log" "the log is empty" "$X"
rm -r "$X/log"
finds "a log without its folder is found" "whole log" "the log is empty" "$X"
again; cut_frames 1
finds "one entry cut from under the checkpoint is found" checkpoint "the checkpoint promises" "$X"
again; cut_frames 8
rm -rf "$X/log/1/"{promise,checkpoint,cosigned,stamped,tile,cp}
cp -r "$C/live4/log/1/"{promise,checkpoint,tile} "$X/log/1/"
clean "what is cut behind an older checkpoint cannot be known from one log" "$X"
remarks "... which is said" "that no checkpoint covers yet"
finds "... but the other log knows" "older copy" "the largest head that it signed is of" "$X" "$C/good-b"
again; dd if="$(segment)" of="$C/rest" bs=1M skip="$(frame "$(segment)" 1 | cut -d ' ' -f 1)" iflag=skip_bytes 2>/dev/null
dd if=/dev/zero of="$(segment)" bs=1 count=16 conv=notrunc 2>/dev/null
finds "a first record wiped out is found" "whole log" "the log is empty" "$X"
finds "... with what stands behind it" "whole log" "a whole record with number 1" "$X"
again; read -r from _ < <(frame "$(segment)" 20); poke "$(segment)" $((from + 100)) '\x55\x55'
finds "records hidden behind a broken one are found" "whole log" "a whole record with number 21" "$X"
again; read -r end _ < <(frames "$(segment)" | tail -n 1)
head -c 300 /dev/urandom | dd of="$(segment)" bs=1 seek="$end" conv=notrunc 2>/dev/null
clean "a torn tail is none" "$X"
remarks "... but is said" "bytes after its last whole record"

# --- records that do not belong here --------------------------------------------------------------
again; append_leaf "$(ls "$C"/good-b/log/1/wal/*.seg)" 0
finds "another server's record put at the end is found" "own entries only" "neither from nor to $A/SS1" "$X"
again; append_leaf "$(ls "$C"/good-a/log/1/wal/*.seg)" 7
finds "a record copied within the log is found" "each entry once" "it is entry 7 again" "$X"

# --- whoever has the disk and no key: numbers and checksums are right again --------------------------
EDIT=$OUT/tests/segment_edit
without_heads() { rm -rf "$X/log/1/"{promise,checkpoint,cosigned,outside,stamped,tile,cp}; }
for how in "delete 3" "delete 4" "swap 3" "swap 9"; do
    again; "$EDIT" "$(segment)" $how 2>"$C/edited" || not_ok "$how: done to a copy" "$(cat "$C/edited")"
    finds "$how: the signed heads of the log say otherwise" "append only" "another root" "$X"
    check "... and its checkpoint" grep -qF "[checkpoint]" "$C/said"
    without_heads
    finds "$how: without checkpoint and tiles the records' own heads do" "append only" "another root" "$X"
    finds "$how: beside the other log too" "append only" "another root" "$X" "$C/good-b"
done
again; "$EDIT" "$(segment)" delete 3; without_heads
finds "a request taken out is in the other log" "both sides hold the same leaves" "is not in its own log (type 2" "$X" "$C/good-b"

# --- one log in two copies ------------------------------------------------------------------------
goes_on() { # FOLDER: a starts where good-a ends, and stops
    rm -rf "$C/a/audit"; cp -r "$C/good-a" "$C/a/audit"
    server_start a || die "server a: $(tail -n 1 "$C/a/server.events")"
    sleep 0.5
    server_stop a
    cp -r "$C/a/audit" "$1"
}
goes_on "$C/end1"; goes_on "$C/end2"
clean "an older copy of a log is clean beside a newer one" "$C/good-a" "$C/end1"
remarks "... which is said" "goes on where this ends, after "
clean "the other log beside both is clean too" "$C/good-b" "$C/good-a" "$C/end1"
clean "another end of the same log is clean by itself" "$C/end2"
for order in "end1 end2" "end2 end1"; do
    read -r one two <<<"$order"
    finds "together they are two histories" "one history" "is the same log, and has another entry" "$C/$one" "$C/$two"
    check "... by what its key signed" contains "$(cat "$C/said")" "heads signed by this log, in log/1/"
done
"$AUDIT" verify "$C/end1" "$C/end2" --json >"$C/json"
check "... as JSON" contains "$(tr -d '\n ' <"$C/json")" '"rule":"onehistory"'
"$AUDIT" report "$C/end1" "$C/end2" --html "$C/fork.html" >/dev/null 2>&1; status=$?
check "... and as a page" contains "$status $(cat "$C/fork.html")" "</span> one history <span"
check "... that is not called clean" contains "$(cat "$C/fork.html")" "<h1>Not clean"
rm -rf "$C/a/audit"; cp -r "$C/good-a" "$C/a/audit"

# --- whose word it is -----------------------------------------------------------------------------
verify "$C/good-a" >/dev/null
check "anchors of the folder are named as such" contains "$(cat "$C/said")" "anchors taken from the audited folder"
print=$(openssl x509 -in "$C/store/anchor/trust.pem" -noout -fingerprint -sha256 | tr -d : | sed 's/.*=//' | tr A-F a-f)
check "... with the certificate's fingerprint as openssl has it" contains "$(cat "$C/said")" "$print"
check "... and the directory's key" contains "$(cat "$C/said")" "$(cat "$C/store/anchor/directory.vkey")"
TRUE=(--trust "$C/store/anchor/trust.pem" --directory-vkey "$C/store/anchor/directory.vkey")
clean "with the auditor's own anchors it is clean" "$C/good-a" "${TRUE[@]}"
check "... and they are named as such" contains "$(cat "$C/said")" "anchors given by the auditor"
mine=$C
C=$mine/other
mkdir "$C"
country_make >/dev/null
member_make c $A/SS1 "Medellín" TRAMITES >/dev/null
publish
server_start c || die "server c: $(tail -n 1 "$C/c/server.events")"
sleep 0.4
server_stop c
C=$mine
clean "an invented country is clean by itself" "$C/other/c/audit"
finds "... but not with the auditor's anchors" directory "not signed by the authority" "$C/other/c/audit" "${TRUE[@]}"
finds "... nor with his trust alone" directory "" "$C/other/c/audit" "${TRUE[@]:0:2}"
finds "... nor beside a log of the real one" anchors "other ones than those of" "$C/good-a" "$C/other/c/audit"
"$BIN/chaski-registry" member add "$C/forked" CO/GOV/1 --name "Nadie" >/dev/null || die "no fork"
"$BIN/chaski-registry" publish "$C/forked" --to "$C/fork" >/dev/null || die "no fork"
again "$C/good-b"; rm -rf "$X/directory"; cp -r "$C/fork" "$X/directory"
finds "a directory that contradicts the given one is found" directories "contradicts the given one" "$X" --directory "$C/newer"
cp -r "$X" "$C/copy-b"; again; rm -rf "$X/directory"; cp -r "$C/newer" "$X/directory"
finds "directories of two logs that contradict one another are found" directories "contradicts the one of" "$X" "$C/copy-b"

# --- what is printed ------------------------------------------------------------------------------
"$AUDIT" show "$C/good-a" >"$C/rows"
check "one row for each entry" equal "$(wc -l <"$C/rows")" "$(($(frames "$(ls "$C"/good-a/log/1/wal/*.seg)" | wc -l) - 1))"
check "... and nothing in it drives the terminal" equal "$(LC_ALL=C tr -d '\n\40-\176\200-\377' <"$C/rows" | wc -c)" 0
for ((i = 0; i < $(wc -l <"$C/rows"); i++)); do "$AUDIT" show "$C/good-a" $i --payload "${KEYS[@]}"; done >"$C/shown"
check "nor in an entry with its payload" equal "$(LC_ALL=C tr -d '\n\40-\176\200-\377' <"$C/shown" | wc -c)" 0

odd=$C/caf$'\xe9'
again; mv "$X" "$odd"; X=$odd
set_slot 5 00000002 "$NO_KEY"
"$AUDIT" verify "$odd" --json >"$C/json"; status=$?
check "a finding does not get lost by a folder's name" contains "$(cat "$C/json")" '"what": "its payload is marked as erased'
check "... whose bytes are shown" contains "$(cat "$C/json")" 'caf\\xe9"'
check "... the object says that it is not clean" contains "$status $(cat "$C/json")" '1 {'
check "... in words" contains "$(tr -d '\n' <"$C/json")" '"clean": false, "count": 1,'
check "... with the counts" contains "$(tr -d '\n ' <"$C/json")" '"erased":1,"damaged":0'
check "... the anchors" contains "$(cat "$C/json")" "$print"
check "... and the peers' heads" contains "$(tr -d '\n ' <"$C/json")" "\"peers_heads\":[{\"server\":\"$B/SS1\",\"size\":"
"$AUDIT" verify "$C/good-a" --json >"$C/json"; status=$?
check "an honest log is clean there too" contains "$status $(tr -d '\n' <"$C/json")" '"clean": true, "count": 0,'
finish
