#!/bin/bash
# SPDX-License-Identifier: MIT
# One body of 1 GiB each way, and too much at once: for bench.sh, whose country and chains it uses. What the bus refuses
# is written down as it says it, and the largest power of two that it carries is measured instead.
#
#   large_bodies    $RESULTS/large-{plain,bus}-{down,up}.txt: MIB STATUS BYTES_PER_SECOND KB_MOST
#                   $RESULTS/refused-{down,up}.txt: what the bus says of 1 GiB, when it does not carry it
#   overload        $RESULTS/overload.txt: a crowd of 1,000 at a server that takes 50 at once

body_make() { # MIB: what is fetched, and what is brought; neither takes room on the disk
    truncate -s "$1M" "$C/chain/www/large"
    chmod 644 "$C/chain/www/large"
}
# carry WAY URL TO_HEAD TO_BODY: status, bytes and seconds
carry() {
    local file=$C/chain/www/large
    case $1 in
    down) curl -sS --max-time 60 -H "$CLIENT" -D "$3" -o "$4" -w '%{http_code} %{size_download} %{time_total}' "$2/large" ;;
    up) curl -sS --max-time 60 -H "$CLIENT" -H 'Expect:' -T "$file" -D "$3" -o "$4" -w '%{http_code} %{size_upload} %{time_total}' "$2/take/large" ;;
    esac 2>>"$C/curl.errors"
}
# tried WAY SERIES URL MIB: true when it went through whole
tried() {
    local status size seconds kb whole=$(($4 << 20)) to=/dev/null
    [ "$1" = up ] && to=$C/large.answer
    [ "$2" = bus ] && to=$C/large.answer
    body_make "$4"
    rm -f "$RESULTS/watched.txt"
    watch_memory watched
    read -r status size seconds < <(carry "$1" "$3" "$C/large.head" "$to"; echo)
    watch_end
    kb=$(awk '{ print $2; print $3 }' "$RESULTS/watched.txt" | most)
    mv "$RESULTS/watched.txt" "$RESULTS/memory-large-$2-$1.txt"
    [ "$status" = 200 ] && [ "$size" = "$whole" ] || return 1
    echo "$4 $status $(echo "$size $seconds" | awk '{ printf "%.0f", $1 / $2 }') ${kb:-0}" >>"$RESULTS/large-$2-$1.txt"
}
# "503 Server.ServerProxy.BadRequest: what it says", for the table
said() { # STATUS
    local words
    words=$(head -c 2000 "$C/large.answer" | jq -r '[.type, .message] | map(select(. != null)) | join(": ")' 2>/dev/null | tr '|\n' '/ ')
    echo "$1 ${words:-$(tail -n 1 "$C/curl.errors")}"
}
large_bodies() {
    local way mib
    for way in down up; do
        tried $way plain "$PLAIN" 1024
        rm -f "$C/large.answer"
        if tried $way bus "$BUS" 1024; then continue; fi
        said "$(sed -n 's/^HTTP[^ ]* \([0-9]*\).*/\1/p' "$C/large.head" 2>/dev/null | tail -n 1)" >"$RESULTS/refused-$way.txt"
        for mib in 512 256 128 64 32 16 8 4 2 1; do
            rm -f "$C/large.answer"
            if tried $way bus "$BUS" $mib; then
                tried $way plain "$PLAIN" $mib
                break
            fi
        done
    done
    rm -f "$C/chain/www/large" "$C/large.answer"
}

# The consumer's server has been stopped. It takes 50 exchanges at once now; 1,000 ask.
overload() {
    echo 'exchanges_max = 50' >>"$C/a/server.conf"
    server_start a && gateway_start a || { echo "a does not start again" >&2; return; }
    BUS=$(gateway_url a)/r1/$S
    wait_for 10 curl -fsS -o /dev/null -H "$CLIENT" "$BUS/answer"
    crowd crowd64c 64 "$BUS/answer" 1
    crowd overload 1000 "$BUS/answer" 3
}
