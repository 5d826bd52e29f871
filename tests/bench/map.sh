#!/bin/bash
# SPDX-License-Identifier: MIT
# Where the time of an exchange goes on two real nodes under load: processor and context switches of each thread, system
# calls, and what each function costs with all that it calls. For who wants to make it faster; nothing is written down.
#   map.sh OUT [IN_FLIGHT]     OUT: build/release; 64. Needs perf (Debian's linux-perf) and root; SECONDS_EACH=5
# Called by `make bench-map`. Rates are lower than `make bench` gives while perf looks on; the shares hold.
set -- "$1" "${2:-64}"
IN_FLIGHT=$2
SECONDS_EACH=${SECONDS_EACH:-5}
. "$(dirname "$0")/../integration/lib.sh"
for part in chain page measure pair; do . "$(dirname "$0")/$part.sh"; done
export LC_ALL=C
RESULTS=$C
command -v perf >/dev/null || die "perf is not here: Debian's linux-perf"
trap 'chain_stop 2>/dev/null; stop_all; rm -rf "$C"' EXIT
pair_start >&2

names() { # NAME PID of all processes that take part in each exchange
    local n
    for n in a b; do
        echo "gateway-$n $(cat "$C/$n/gateway.pid")"
        echo "exchange-$n $(child_pid $n exchange)"
        echo "keys-$n $(child_pid $n keys)"
    done
}
names >"$C/names"
watched=$(cut -d ' ' -f 2 "$C/names" | paste -sd,)
answers() { awk '/requests in/ { print $1 }' "$C/wrk.out"; }
ask() { wrk -t1 -c"$IN_FLIGHT" -d"${SECONDS_EACH}s" --latency -H "$CLIENT" "$BUS/answer" >"$C/wrk.out" 2>&1; }

# --- threads -------------------------------------------------------------------------------------------
threads() { # PROCESS THREAD PID USER SYSTEM VOLUNTARY INVOLUNTARY, in hundredths of a second and times
    local name pid task
    while read -r name pid; do
        for task in "/proc/$pid/task/"*; do
            echo "$name $(tr ' ' '_' <"$task/comm") ${task##*/} $(cut -d ' ' -f 14,15 "$task/stat") $(awk '/ctxt_switches/ { printf "%s ", $2 }' "$task/status")"
        done
    done <"$C/names"
}
ask
threads >"$C/before"
ask
threads >"$C/after"
echo "== $IN_FLIGHT in flight: $(answers) exchanges in $SECONDS_EACH s, p50 $(awk '$1 == "50%" { print $2 }' "$C/wrk.out"); per exchange:"
awk -v n="$(answers)" 'NR == FNR { user[$3] = $4; kernel[$3] = $5; yielded[$3] = $6; moved[$3] = $7; next }
    $4 + $5 > user[$3] + kernel[$3] { printf "%-11s %-16s user %6.1f µs, kernel %6.1f µs, waits %5.2f, moved off %5.2f\n", $1, $2,
        ($4 - user[$3]) * 1e4 / n, ($5 - kernel[$3]) * 1e4 / n, ($6 - yielded[$3]) / n, ($7 - moved[$3]) / n }' "$C/before" "$C/after"

# --- system calls --------------------------------------------------------------------------------------
calls="epoll_wait poll fdatasync pwrite64 pwritev getrandom getpid recvfrom sendto recvmsg sendmsg read write epoll_ctl futex sync_file_range madvise mmap munmap"
events=$(for call in $calls; do [ ! -d /sys/kernel/tracing/events/syscalls/sys_enter_$call ] || printf 'syscalls:sys_enter_%s,' "$call"; done)
if perf stat -e "${events%,}" true >/dev/null 2>&1; then
    perf stat --per-thread -x ';' -p "$watched" -e "${events%,}" -o "$C/calls" -- \
        wrk -t1 -c"$IN_FLIGHT" -d"${SECONDS_EACH}s" -H "$CLIENT" "$BUS/answer" >"$C/wrk.out" 2>&1
    echo
    echo "== system calls per exchange, by thread (name-number):"
    awk -F ';' -v n="$(answers)" '$2 / n >= 0.02 { call = $4; sub(/.*sys_enter_/, "", call); of[$1] = of[$1] sprintf(" %s %.2f", call, $2 / n) }
        END { for (thread in of) print thread ":" of[thread] }' "$C/calls" | sort
    cat "$C/names"
else
    echo "(system calls are not counted: this kernel has no tracepoints for perf)"
fi

# --- functions -----------------------------------------------------------------------------------------
(ask) &
asking=$!
pids+=($!)
perf record -q -F 499 -e cpu-clock --call-graph dwarf,8192 -p "$watched" -o "$C/perf.data" -- sleep $((SECONDS_EACH - 1)) >/dev/null 2>&1
wait $asking
perf script -i "$C/perf.data" -F pid,tid,ip,sym,dso 2>/dev/null >"$C/samples"
echo
echo "== functions of ours with all that they call, in hundredths of their program's time (both nodes):"
awk 'NR == FNR { program[$2] = $1; sub(/-.*/, "", program[$2]); next }
    /^ *[0-9]+\/[0-9]+ *$/ { split($1, number, "/"); who = program[number[1]]; split("", seen); total[who]++; next }
    NF == 0 { who = "" }
    who != "" && /\(inlined\)|\/chaski/ && !($2 in seen) { seen[$2] = 1; times[who " " $2]++ }
    END { for (k in times) { split(k, part, " "); if (times[k] / total[part[1]] >= 0.01)
        printf "%-9s %5.1f  %s\n", part[1], times[k] * 100 / total[part[1]], part[2] } }' "$C/names" "$C/samples" | sort -k1,1 -k2,2nr
