#!/bin/bash
# SPDX-License-Identifier: MIT
# The pictures of docs/PERFORMANCE.md, as SVG that reads in light and in dark. Sourced by bench.sh.
#   draw_throughput     answers a second against requests in flight, both axes logarithmic
#   draw_budget         processor for one answer by component, a bar for each of three

svg_head() { # WIDTH HEIGHT TITLE
    cat <<S
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 $1 $2" width="$1" height="$2" role="img" aria-label="$3" font-family="sans-serif" font-size="12">
<style>
  :root { --ink: #1b1f24; --faint: #c9ced6; --ground: #ffffff }
  @media (prefers-color-scheme: dark) { :root { --ink: #e6e9ee; --faint: #444b55; --ground: #14171b } }
  text { fill: var(--ink) } .grid { stroke: var(--faint); stroke-width: 1 } .ground { fill: var(--ground) }
  .line { fill: none; stroke-width: 2.5 } .name { font-weight: bold }
</style>
<rect class="ground" width="$1" height="$2"/>
<text x="16" y="22" font-size="14" class="name">$3</text>
<text x="16" y="39" font-size="11">make bench, $(date -u +%Y-%m-%d), $(nproc) cores, load average $LOAD_BEFORE before</text>
S
}

# IN_FLIGHT RATE of one series, over all points that were measured
curve_points() { # SERIES
    local n
    for n in 1 2 4 8 16 32 64 128 256 512 1000; do
        case $n in
        1 | 64) echo "$n $(column "$1$n" 1 | median)" ;;
        *) [ ! -s "$RESULTS/curve-$1-$n.txt" ] || echo "$n $(column "curve-$1-$n" 1 | median)" ;;
        esac
    done
}

draw_throughput() {
    svg_head 720 380 "Answers a second against requests in flight"
    {
        for series in plain sign bus; do curve_points $series | sed "s/^/$series /"; done
    } | awk '
        function x(n) { return 70 + log(n) / log(1000) * 520 }
        function y(rate) { return 330 - (log(rate < 100 ? 100 : rate) - log(100)) / (log(100000) - log(100)) * 275 }
        BEGIN {
            colour["plain"] = "#2f7ed8"; colour["sign"] = "#b7791f"; colour["bus"] = "#1f9d6b"
            title["plain"] = "plain chain"; title["sign"] = "signing chain"; title["bus"] = "Chaski"
            for (rate = 100; rate <= 100000; rate *= 10) {
                printf "<line class=\"grid\" x1=\"70\" x2=\"590\" y1=\"%.1f\" y2=\"%.1f\"/><text x=\"62\" y=\"%.1f\" text-anchor=\"end\">%s</text>\n", y(rate), y(rate), y(rate) + 4, (rate >= 1000 ? rate / 1000 ",000" : rate)
            }
            split("1 4 16 64 256 1000", tick, " ")
            for (i = 1; i <= 6; i++)
                printf "<line class=\"grid\" x1=\"%.1f\" x2=\"%.1f\" y1=\"55\" y2=\"330\"/><text x=\"%.1f\" y=\"348\" text-anchor=\"middle\">%s</text>\n", x(tick[i]), x(tick[i]), x(tick[i]), (tick[i] == 1000 ? "1,000" : tick[i])
            print "<text x=\"330\" y=\"368\" text-anchor=\"middle\">requests in flight</text>"
        }
        { path[$1] = path[$1] (path[$1] == "" ? "M" : " L") sprintf("%.1f %.1f", x($2), y($3))
          dots = dots sprintf("<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3\" fill=\"%s\"><title>%s, %s in flight: %.0f/s</title></circle>\n", x($2), y($3), colour[$1], title[$1], $2, $3)
          last[$1] = $3 }
        END {
            for (s in path) {
                printf "<path class=\"line\" stroke=\"%s\" d=\"%s\"/>\n", colour[s], path[s]
                at[s] = y(last[s]) + 4
            }
            for (turn = 1; turn <= 20; turn++) # names that would lie on each other move apart
                for (s in at) for (t in at) if (s != t && at[s] <= at[t] && at[t] - at[s] < 15) { at[s] -= 2; at[t] += 2 }
            for (s in at) printf "<text class=\"name\" x=\"600\" y=\"%.1f\" style=\"fill:%s\">%s</text>\n", at[s], colour[s], title[s]
            printf "%s", dots
        }'
    echo "</svg>"
}

draw_budget() {
    local series part
    svg_head 720 330 "Processor for one answer at 64 in flight, both ends, µs"
    for series in plain64 sign64 bus64; do
        for part in gateway exchange exchange-log exchange-zmq keys scribe nginx service load; do
            [ ! -s "$RESULTS/cpu-$series-$part.txt" ] || echo "$series|$part|$(part_title $part)|$(column "cpu-$series-$part" 1 | median)"
        done
    done | awk -F '|' '
        BEGIN {
            split("gateway exchange exchange-log exchange-zmq keys scribe nginx service load", order, " ")
            split("#2f7ed8 #1f9d6b #6cc3a0 #8a5fbf #d1495b #e9c46a #4a90a4 #b7791f #9aa0a6", shade, " ")
            bar["plain64"] = "plain chain"; bar["sign64"] = "signing chain"; bar["bus64"] = "Chaski"
            top["plain64"] = 56; top["sign64"] = 104; top["bus64"] = 152
        }
        { value[$1, $2] = $4; title[$2] = $3; sum[$1] += $4; if (sum[$1] > most) most = sum[$1] }
        END {
            for (s in bar) {
                at = 120
                printf "<text x=\"112\" y=\"%d\" text-anchor=\"end\" class=\"name\">%s</text>\n", top[s] + 21, bar[s]
                for (i = 1; i <= 9; i++) if ((s, order[i]) in value) {
                    wide = value[s, order[i]] / most * 520
                    printf "<rect x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"32\" fill=\"%s\"><title>%s, %s: %.1f µs</title></rect>\n", at, top[s], wide, shade[i], bar[s], title[order[i]], value[s, order[i]]
                    if (wide > 30) printf "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\" style=\"fill:#fff\">%.0f</text>\n", at + wide / 2, top[s] + 21, value[s, order[i]]
                    at += wide
                }
                printf "<text x=\"%.1f\" y=\"%d\">%.0f</text>\n", at + 6, top[s] + 21, sum[s]
            }
            n = 0
            for (i = 1; i <= 9; i++) if (order[i] in title) {
                cx = 20 + n % 3 * 235; cy = 222 + int(n / 3) * 26; n++
                printf "<rect x=\"%d\" y=\"%d\" width=\"14\" height=\"14\" fill=\"%s\"/><text x=\"%d\" y=\"%d\">%s</text>\n", cx, cy, shade[i], cx + 20, cy + 12, title[order[i]]
            }
        }'
    echo "</svg>"
}
