#!/bin/bash
# SPDX-License-Identifier: MIT
# The evidence on disk, mistreated: a torn tail is set aside and said; a log that has shrunk, was altered or
# restored from an old copy does not start and is left as it was found; a full disk refuses exchanges and loses nothing; the auditor
# finds what was done to a log.
. "$(dirname "$0")/lib.sh"
CHECKPOINT_MS=300
two_members
publish
servers_start a b
stand_in_start b CO/GOV/899999027/DIVIPOLA
ask() { timeout 30 "$PEER" ask "ipc://$C/a/front" CO/MUN/890905211/TRAMITES $S "$1" 8 2>/dev/null; }
check "two hundred exchanges" contains "$(ask 200)" "OK                   200"
LOG=$C/a/audit/log/1
segment() { ls "$LOG/wal/"*.seg | tail -n 1; }
size_of() { "$BIN/chaski-audit" show "$C/a/audit" --json | grep -c '"index"'; }

# a torn tail: garbage where the next frame would begin, after kill -9
server_kill a
before=$(size_of)
frames_end() { # FILE: where its next frame would begin; a frame's own last byte may be zero
    perl -0777 -ne '$at = 0; $at += 16 + $n while $n = unpack("N", substr($_, $at, 4)); print $at' "$1"
}
torn_tail() { # appends garbage after the last frame of the segment
    local file last
    file=$(segment)
    last=$(frames_end "$file")
    head -c 100 /dev/urandom | dd of="$file" bs=1 seek="$last" conv=notrunc 2>/dev/null
}
torn_tail
check "the auditor tells a torn tail from a finding" "$BIN/chaski-audit" verify "$C/a/audit" --store-key "$C/a/keys/store.key"
server_start a || die "server a does not start after a torn tail: $(tail -n 1 "$C/a/server.events")"
check "a torn tail is cut, and said in an event" contains "$(grep audit.recovered "$C/a/server.events" | tail -n 1)" '"cut_bytes":100'
check "... and written down as an incident" contains "$("$BIN/chaski-audit" show "$C/a/audit" --kind incident)" incident
check "... with its bytes set aside" equal "$(cat "$LOG"/wal/cut-*.tail | wc -c)" 100
check "nothing before it was lost" equal "$(($(size_of) - before))" 2
check "the log goes on" contains "$(ask 20)" "OK                   20"
sleep 0.8
server_stop a
check "the log verifies afterwards" "$BIN/chaski-audit" verify "$C/a/audit" "$C/b/audit" --store-key "$C/a/keys/store.key" --store-key "$C/b/keys/store.key"
cp -r "$C/a/audit" "$C/good"

# shrunk: the last frames zeroed away below the checkpoint
restore() { rm -rf "$C/a/audit"; cp -r "$C/good" "$C/a/audit"; }
start_status() { timeout 20 "$BIN/chaski-security-server" --config "$C/a/server.conf" 2>"$C/start.events"; echo $?; }
last=$(frames_end "$(segment)")
dd if=/dev/zero of="$(segment)" bs=1 seek=$((last - 3000)) count=3000 conv=notrunc 2>/dev/null
check "a log that has shrunk does not start" equal "$(start_status)" 3
check "... saying what is missing" contains "$(cat "$C/start.events")" LOG_SHRUNK
"$BIN/chaski-audit" verify "$C/a/audit" --store-key "$C/a/keys/store.key" >"$C/found" 2>&1; status=$?
check "the auditor finds it too" equal $status 1
restore

# altered: one byte in the middle; what is refused is not touched
refused() { # SENTENCE FAULT
    check "$1 does not start" equal "$(start_status)" 3
    check "... saying why: $2" contains "$(cat "$C/start.events")" "\"fault\":\"$2\""
}
flip "$(segment)" 20000
refused "a log with a changed byte" LOG_SHRUNK
rm "$LOG/promise"
refused "a log with a changed byte and no checkpoint" LOG_BROKEN
flip "$(segment)" 20000
cp "$C/good/log/1/promise" "$LOG/"
check "... and was left as it was found" diff -r "$C/good" "$C/a/audit"
rm -rf "$C/a/audit/log"
refused "a folder whose log is gone" LOG_SHRUNK
restore
rm "$LOG/promise"
last=$(frames_end "$(segment)")
dd if=/dev/zero of="$(segment)" bs=1 seek=2000 count=$((last - 2000)) conv=notrunc 2>/dev/null
server_start a && server_stop a
check "records that vanish within one group are an incident in the log" equal \
    "$("$BIN/chaski-audit" show "$C/a/audit" --kind incident --json | grep -c '"index"')" 1
restore
slab=$(ls "$C/a/audit/keys/"*.slab | tail -n 1)
printf '\x00\x00\x01' | dd of="$slab" bs=1 seek=$((64 + 64 * ($(size_of) - 1))) conv=notrunc 2>/dev/null
refused "a key slab whose last slot was altered" LOG_BROKEN
restore

# an entry taken out, with frames and checksums made right again, is what the auditor is for
"$BIN/chaski-audit" verify "$C/a/audit" "$C/b/audit" --store-key "$C/a/keys/store.key" --store-key "$C/b/keys/store.key" >/dev/null || not_ok "the copy verifies" "no"
flip "$C/a/audit/payload/$(ls "$C/a/audit/payload" | head -n 1)" 400
"$BIN/chaski-audit" verify "$C/a/audit" --store-key "$C/a/keys/store.key" >"$C/found" 2>&1; status=$?
check "a changed payload is a finding" equal $status 1
check "... naming the entry and the rule" contains "$(cat "$C/found")" "[payload]"
restore
sed -i 's/^[0-9][0-9]*$/9999/' "$LOG/promise"
check "a forged checkpoint does not start" equal "$(start_status)" 3
restore

# an older copy, while a peer holds a message with a larger head in it, signed by us
server_start a || die "server a does not start on the good copy: $(tail -n 1 "$C/a/server.events")"
check "exchanges" contains "$(ask 5)" "OK                   5"
server_stop a
mv "$C/a/audit" "$C/newest"
cp -r "$C/good" "$C/a/audit"
refused "a log restored from an older copy" LOG_SHRUNK
check "... because a peer knows more" contains "$(cat "$C/start.events")" "CO/GOV/899999027/SS1 holds our signature"
rm -rf "$C/good"; mv "$C/newest" "$C/good"
restore

# a second server on the same log
server_start a || die "server a does not start on the good copy: $(tail -n 1 "$C/a/server.events")"
sed "s#^front = .*#front = \"ipc://$C/a/front2\"#; s#^ready_file = .*##; s#^mesh_listen = .*#mesh_listen = {\"tcp://127.0.0.1:$(free_port)\"}#" "$C/a/server.conf" >"$C/second.conf"
timeout 3 "$BIN/chaski-security-server" --config "$C/second.conf" 2>"$C/second.events"
check "a second server on the same log is refused" contains "$(cat "$C/second.events")" REFUSED
server_stop a

# a flush that fails in a whole node: nothing is acknowledged, the process ends, and the next one has all that was
# (the sanitizers want to be loaded first, so this is for a plain build)
case $OUT in
*asan | *tsan) ;;
*)
    trigger=$C/flush.fails
    LD_PRELOAD=$OUT/tests/failing_flush.so FAILING_FLUSH=$trigger server_start a || die "server a: $(tail -n 1 "$C/a/server.events")"
    check "exchanges run" contains "$(ask 20)" "OK                   20"
    process=$(sed -n 's/^exchange_pid=//p' "$C/a/server.ready")
    touch "$trigger"
    ask 4 >"$C/failed.out"
    none() { ! grep -q "^ *OK " "$C/failed.out"; }
    check "when a flush fails nothing is answered" none
    ended() { ! kill -0 "$process" 2>/dev/null; }
    check "... and the process ends" wait_for 10 ended
    check "... with the reason" grep -q LOG_FAILED "$C/a/server.events"
    check "... and so do those that are started in its place, a few times" wait_for 30 grep -q '"server.gave_up"' "$C/a/server.events"
    server_stop a
    rm "$trigger"
    server_start a || not_ok "server a starts once the disk does what it says" "$(tail -n 1 "$C/a/server.events")"
    check "once the disk does what it says exchanges go on" contains "$(ask 10)" "OK                   10"
    server_stop a
    check "and both logs verify" "$BIN/chaski-audit" verify "$C/a/audit" --store-key "$C/a/keys/store.key"
    ;;
esac

# a full disk: exchanges are refused and lost by nobody, and go on when there is room again
full_disk() { # FOLDER FILL-COMMAND EMPTY-COMMAND: what was started already has its log there
    check "exchanges run there" contains "$(ask 20)" "OK                   20"
    $2
    ask 3000 >"$C/full.out"
    check "with a full disk exchanges are refused, not lost" contains "$(cat "$C/full.out")" LOG_FAILED
    check "... by a process that goes on" kill -0 "$(sed -n 's/^exchange_pid=//p' "$C/a/server.ready")"
    $3
    check "with room again they go on" contains "$(ask 20)" "OK                   20"
    server_stop a
    check "and the log verifies" "$BIN/chaski-audit" verify "$1" --store-key "$C/a/keys/store.key"
}
log_in() { sed -i "s#^audit_folder = .*#audit_folder = \"$1\"#; s#^wal_segment_mib = .*#wal_segment_mib = 1#" "$C/a/server.conf"; }
fill_small() { head -c 100m /dev/zero >"$C/small/filler" 2>/dev/null; }
empty_small() { rm "$C/small/filler"; }
if mkdir -p "$C/small" && mount -t tmpfs -o size=24m tmpfs "$C/small" 2>/dev/null; then
    log_in "$C/small/audit"
    server_start a || not_ok "server a starts on a small disk" "$(tail -n 1 "$C/a/server.events")"
    full_disk "$C/small/audit" fill_small empty_small
    umount "$C/small"
else
    skip "a full file system" "tmpfs cannot be mounted here"
fi
case $OUT in
*asan | *tsan) skip "a disk on which no file grows" "the sanitizers want to be loaded first" ;;
*)
    log_in "$C/a/full"
    LD_PRELOAD=$OUT/tests/full_disk.so FULL_DISK=$C/full server_start a || not_ok "server a starts" "$(tail -n 1 "$C/a/server.events")"
    full_disk "$C/a/full" "touch $C/full" "rm $C/full"
    ;;
esac
finish
