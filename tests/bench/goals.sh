#!/bin/bash
# SPDX-License-Identifier: MIT
# What bench.sh found, as one table with each goal and whether it is reached, and as JSON. Sourced by bench.sh.
# Ratios are medians of the ratios of each round, with the least and the most.

row() { echo "| $1 | $2 | $3 | $4 |"; }
reached() { awk -v a="$1" -v how="$2" -v b="$3" 'BEGIN { if (how == "least" ? a + 0 >= b + 0 : a + 0 <= b + 0) print "yes"; else print "not yet" }'; }
kb_as_mb() { awk '{ printf "%.0f", $1 / 1024 }'; }
ms() { awk '{ printf "%.2f ms", $1 / 1000 }'; }
us() { echo "$(column "$1" "$2" | with_spread) µs"; }

ratio_row() { # WHAT SERIES SERIES LEAST
    local ratio
    ratio=$(ratios "$2" "$3" 1 | median)
    row "$1" "$(ratios "$2" "$3" 1 | with_spread 2)" "≥ $4" "$(reached "$ratio" least "$4")"
}
rate_row() { # WHAT SERIES
    row "$1" "$(column "$2" 1 | with_spread)/s, p50 $(column "$2" 2 | median | ms), p99 $(column "$2" 3 | median | ms), failures $(column "$2" 4 | sum_of)" "" ""
}
bound() { read -r sign check <"$RESULTS/ecdsa.txt" && echo "$sign $check $(nproc)" | awk '{ printf "%.0f", $3 / (2 / $1 + 2 / $2) }'; }

FLUSHES=4 # in a row, of one exchange: request and answer, at each end
latency_rows() {
    local chain bus flush limit p99
    chain=$(column plain1 2 | median) bus=$(column bus1 2 | median) p99=$(column bus1 3 | median)
    flush=$(column flush 1 | median)
    limit=$(echo "$chain $flush" | awk -v n=$FLUSHES '{ printf "%.0f", 3 * $1 + n * $2 }')
    row "one at a time, plain chain: p50; p99" "$(us plain1 2); $(us plain1 3)" "" ""
    row "one at a time, signing chain: p50; p99" "$(us sign1 2); $(us sign1 3)" "" ""
    row "this disk: a write of 4 KiB and fdatasync, p50; p99" "$(us flush 1); $(us flush 2)" "" ""
    row "**one at a time, Chaski: p50**" "$(us bus1 2)" "≤ $limit µs: 3 × the plain chain's and $FLUSHES flushes" "$(reached "$bus" most "$limit")"
    row "... p99 of p50" "$(paste -d ' ' <(column bus1 3) <(column bus1 2) | awk '{ print ($2 > 0 ? $1 / $2 : 0) }' | with_spread 1) ($(us bus1 3))" "≤ 5" "$(reached "$p99" most $((5 * bus)))"
}

large_row() { # WAY WORDS
    local mib kb ratio
    if [ ! -s "$RESULTS/large-bus-$1.txt" ]; then
        row "a body of 1 GiB $2" "not carried: $(cat "$RESULTS/refused-$1.txt" 2>/dev/null)" "≥ 0.5 of the plain chain, < 256 MB" "not yet"
        return
    fi
    read -r mib _ _ kb <"$RESULTS/large-bus-$1.txt"
    ratio=$(paste -d ' ' "$RESULTS/large-bus-$1.txt" <(tail -n 1 "$RESULTS/large-plain-$1.txt") | awk '{ printf "%.2f", $3 / $7 }')
    if [ "$mib" = 1024 ]; then
        row "a body of 1 GiB $2" "$ratio of the plain chain, node at most $((kb / 1024)) MB" "≥ 0.5, < 256 MB" \
            "$([ $kb -lt 262144 ] && reached "$ratio" least 0.5 || echo "not yet")"
    else
        row "a body of 1 GiB $2" "not carried: $(cat "$RESULTS/refused-$1.txt"). The largest tried that is: $mib MiB, $ratio of the plain chain, node at most $((kb / 1024)) MB" \
            "≥ 0.5, < 256 MB" "not yet"
    fi
}

crowd_row() { # CONNECTIONS SERIES BESIDE
    local ratio jain
    ratio=$(paste -d ' ' <(field "$2" rate) <(field "$3" rate) | awk '{ print ($2 > 0 ? $1 / $2 : 0) }' | median)
    jain=$(field "$2" jain | median)
    row "$1 open connections, of the rate at 64" "$(paste -d ' ' <(field "$2" rate) <(field "$3" rate) | awk '{ print ($2 > 0 ? $1 / $2 : 0) }' | with_spread 2); refused $(field "$2" refused | sum_of), failed $({ field "$2" other; field "$2" lost; field "$2" unopened; } | sum_of)" \
        "≥ 0.8" "$(reached "$ratio" least 0.8)"
    row "... fair: answers of the callers at 5, 50, 95 of 100; Jain's index" "$(field "$2" p5 | median), $(field "$2" p50 | median), $(field "$2" p95 | median); $jain" \
        "index ≥ 0.9" "$(if [ "$(field "$2" p50 | median)" -ge 2 ]; then reached "$jain" least 0.9; else echo "not told: too few answers for each"; fi)"
}

memory_row() { # WHAT SERIES LIMIT_MB
    local kb
    kb=$(awk '{ print $2; print $3 }' "$RESULTS/$2.txt" | most)
    row "$1" "$(echo "$kb" | kb_as_mb) MB at most" "< $3 MB" "$(reached "$kb" most $(($3 * 1024)))"
}

overload_row() {
    local refused with ratio
    [ -s "$RESULTS/overload.txt" ] || { row "overload" "not measured: the server did not start again" "" "not yet"; return; }
    refused=$(field overload refused) with=$(field overload refused_with_retry_after)
    ratio=$(echo "$(field overload rate) $(field crowd64c rate)" | awk '{ printf "%.2f", ($2 > 0 ? $1 / $2 : 0) }')
    row "overload: 1,000 ask a server that takes 50 at once" \
        "$refused refused with 503, $with of them with Retry-After; $(field overload rate)/s answered, $ratio of what 64 get; failed $(($(field overload other) + $(field overload lost)))" \
        "all refusals with Retry-After, no collapse" \
        "$([ "$refused" -gt 0 ] && [ "$refused" = "$with" ] && reached "$ratio" least 0.8 || echo "not yet")"
}

budget_rows() {
    local part sum
    echo "| processor for one answer at 64 in flight, µs, both ends, medians (spread) | Chaski | plain chain | signing chain |"
    echo "| --- | --- | --- | --- |"
    for part in gateway exchange exchange-log exchange-zmq keys scribe nginx service load; do
        printf '| %s |' "$(part_title $part)"
        for series in bus64 plain64 sign64; do
            if [ -s "$RESULTS/cpu-$series-$part.txt" ]; then printf ' %s |' "$(column "cpu-$series-$part" 1 | with_spread 1)"; else printf ' |'; fi
        done
        echo
    done
    printf '| **together** |'
    for series in bus64 plain64 sign64; do
        sum=$(paste -d ' ' "$RESULTS"/cpu-$series-*.txt | awk '{ n = 0; for (i = 1; i <= NF; i++) n += $i; print n }' | with_spread 1)
        printf ' **%s** |' "$sum"
    done
    echo
}
part_title() {
    case $1 in
    gateway) echo "gateways" ;;
    exchange) echo "exchange, its own thread" ;;
    exchange-log) echo "exchange, evidence log" ;;
    exchange-zmq) echo "exchange, ZeroMQ (CURVE)" ;;
    keys) echo "keys" ;;
    scribe) echo "scribe" ;;
    nginx) echo "nginx A and B" ;;
    service) echo "the agency's service (nginx C)" ;;
    load) echo "the load (wrk)" ;;
    esac
}

write_table() {
    local bound
    bound=$(bound)
    echo "Measured $(date -u +%Y-%m-%d) with \`make bench\`: $(machine),"
    echo "Linux $(uname -r), $(openssl version | cut -d ' ' -f 1,2); medians of $ROUNDS rounds by turns (least-most), 64 in flight $SECONDS_EACH s each; load and all processes"
    echo "on the one machine, whose load average was $LOAD_BEFORE before. $TOOK s in all. Answers of 200 bytes where nothing else is said."
    echo
    echo "| | measured | goal | reached |"
    echo "| --- | --- | --- | --- |"
    rate_row "plain chain, 64 in flight" plain64
    rate_row "signing chain, 64 in flight" sign64
    rate_row "**Chaski, 64 in flight**" bus64
    ratio_row "... of the signing chain: first step" bus64 sign64 1.5
    ratio_row "... of the plain chain: second step" bus64 plain64 0.5
    ratio_row "... of the plain chain: goal" bus64 plain64 1.0
    row "bound by OpenSSL without batches: 2 signatures and 2 checks each" "$bound/s; Chaski reaches $(column bus64 1 | median | awk -v b="$bound" '{ printf "%.2f", $1 / b }') of it" "" ""
    latency_rows
    ratio_row "10 KiB, 64 in flight: bytes/s of the plain chain" bus10k plain10k 0.7
    ratio_row "1 MiB, 16 in flight: bytes/s of the plain chain" bus1m plain1m 0.7
    large_row down "to the caller"
    large_row up "to the service"
    crowd_row 1,000 crowd1000 crowd64
    crowd_row 10,000 crowd10000 crowd64b
    overload_row
    row "memory of a node, idle" "$(most <"$RESULTS/idle.txt" | kb_as_mb) MB" "< 64 MB" "$(reached "$(most <"$RESULTS/idle.txt")" most 65536)"
    memory_row "... with 1,000 in flight" memory1000 256
    memory_row "... with 10,000 connections" memory10000 256
    row "... after all that" "$(most <"$RESULTS/loaded.txt" | kb_as_mb) MB" "" ""
    cat "$RESULTS/flat.md"
    echo
    budget_rows
    echo
    echo "Memory is resident, gateway, supervisor, exchange, keys and scribe added up, pages that they share counted in each; of the node that has more."
    echo "OpenSSL here, one core: $(awk '{ printf "%.0f P-256 signatures/s, %.0f checks/s", $1, $2 }' "$RESULTS/ecdsa.txt"). The audit of both logs after the run: $(tail -n 1 "$RESULTS/verify.out")."
}

# Every series with all its rounds, in their order.
write_json() {
    local file name
    {
        jq -n --arg date "$(date -u +%FT%TZ)" --arg machine "$(machine)" --arg kernel "$(uname -r)" --arg openssl "$(openssl version)" \
            --argjson rounds "$ROUNDS" --argjson took "$TOOK" --argjson load "$LOAD_BEFORE" --argjson bound "$(bound)" \
            --arg audit "$(tail -n 1 "$RESULTS/verify.out")" --argjson flushes $FLUSHES \
            '{about: {$date, $machine, $kernel, $openssl, $rounds, took_s: $took, load_before: $load, bound_per_s: $bound, flushes_in_a_row: $flushes, $audit}}'
        for file in "$RESULTS"/*.txt; do
            name=$(basename "$file" .txt)
            case $name in
            crowd* | overload) jq -s --arg name "$name" '{($name): .}' "$file" ;;
            refused-*) jq -Rs --arg name "$name" '{($name): .}' "$file" ;;
            plain* | sign* | bus* | curve-*) series_json "$name" "$file" rate p50_us p99_us failures answers ;;
            cpu-*) series_json "$name" "$file" us_each ;;
            memory*) series_json "$name" "$file" time_ms node_a_kb node_b_kb ;;
            flush) series_json "$name" "$file" p50_us p99_us mean_us flushes ;;
            large-*) series_json "$name" "$file" mib status bytes_per_s kb_most ;;
            idle | loaded) series_json "$name" "$file" kb ;;
            ecdsa) series_json "$name" "$file" signatures_per_s checks_per_s ;;
            esac
        done
        [ ! -s "$RESULTS/flat/ratios.txt" ] || series_json flat "$RESULTS/flat/ratios.txt" country rate_ratio processor_ratio
    } | jq -s 'add'
}
series_json() { # NAME FILE COLUMNS...
    local name=$1 file=$2; shift 2
    jq -Rn --arg name "$name" '$ARGS.positional as $columns | {($name): [inputs / " " | [$columns, .] | transpose |
        map(select(.[0] != null and .[1] != null) | {(.[0]): (.[1] | tonumber? // .)}) | add]}' "$file" --args "$@"
}
