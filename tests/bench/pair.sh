#!/bin/bash
# SPDX-License-Identifier: MIT
# The two members and the two nginx chains that bench.sh and map.sh measure. Sourced behind lib.sh, chain.sh, measure.sh.
#   pair_start      sets PLAIN, SIGN and BUS: URLs behind which /answer has 200 bytes

pair_start() {
    local port url
    SEGMENT_MIB=64 CHECKPOINT_MS=10000
    S=CO/GOV/899999027/DIVIPOLA/registro
    {
        country_make
        member_make a CO/MUN/890905211/SS1 "Medellín" TRAMITES
        member_make b CO/GOV/899999027/SS1 "DANE" DIVIPOLA
        registry service add $S --class open
    } >/dev/null
    publish
    sed -i 's/^event_level = .*/event_level = info/' "$C"/*/server.conf "$C"/*/gateway.conf
    mapfile -t port < <("$BIN/chaski" free-ports 5)
    chmod 755 "$C"
    chain_start "$C/chain" "${port[0]}" "${port[1]}" "${port[2]}" || die "nginx does not start"
    chain_sign_start "${port[3]}" "${port[4]}" || die "nginx with Lua does not start"
    echo "service \"$S\" { kind = http url = \"http://127.0.0.1:${port[2]}\" }" >"$C/b/services/s.conf"
    server_start a && server_start b && gateway_start a && gateway_start b || die "the country does not start"
    wait_for 10 grep -q front.gateway_arrived "$C/b/server.events"
    PLAIN=http://127.0.0.1:${port[0]} SIGN=http://127.0.0.1:${port[3]} BUS=$(gateway_url a)/r1/$S
    for url in "$PLAIN" "$SIGN" "$BUS"; do
        [ "$(curl -sS -H "$CLIENT" "$url/answer" | wc -c)" = 200 ] || die "$url does not work"
    done
}
