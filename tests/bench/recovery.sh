#!/bin/bash
# SPDX-License-Identifier: MIT
# How long a node needs to start on a log of many entries: the log is made through the code that writes one
# (tests/tools/log_fill.c), then the real server starts on it several times.
#   recovery.sh OUT [ENTRIES]      OUT: build/release; ENTRIES: 1000000; about 1.1 KB of disk each. ROUNDS=3
# Called by `make bench-recovery ENTRIES=1000000`.
ENTRIES=${2:-1000000}
ROUNDS=${ROUNDS:-3}
. "$(dirname "$0")/../integration/lib.sh" "${1:?usage: recovery.sh OUT [ENTRIES]}"
SEGMENT_MIB=64
country_make >/dev/null
member_make a CO/GOV/899999027/SS1 "DANE" DATOS >/dev/null
publish
sed -i 's/^event_level = .*/event_level = info/' "$C/a/server.conf"
"$OUT/tests/log_fill" "$C/a/keys" "$C/a/audit" CO/GOV/899999027/SS1 CO/MUN/890905211/SS1 "$ENTRIES" || die "no log"
bytes=$(du -sb "$C/a/audit/log/1/wal" | cut -f 1)
for ((i = 0; i < ROUNDS; i++)); do
    started=$(date +%s%3N)
    server_start a 600 || die "no start: $(tail -n 1 "$C/a/server.events")"
    ready=$(($(date +%s%3N) - started))
    took=$(grep '"audit.recovered"' "$C/a/server.events" | tail -n 1 | sed 's/.*"took_ms":\([0-9]*\).*/\1/')
    memory=$(sed -n 's/^VmHWM:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$(sed -n 's/^exchange_pid=//p' "$C/a/server.ready")/status")
    echo "start $((i + 1)): the log was read in $took ms, ready after $ready ms, $((memory / 1024)) MB at most"
    server_stop a
done
echo "$ENTRIES entries, $((bytes >> 20)) MiB of segments; $(awk -v n="$ENTRIES" -v ms="$took" 'BEGIN { printf "%.1f s per million entries", ms * 1000 / n }')"
finish
