#!/bin/bash
# SPDX-License-Identifier: MIT
# The auditor's picture, looked at in a real browser: charts and findings are there, its figures are those of
# search and show, strangers' words stay words, and the page loads nothing and runs nothing.
# KEEP=FOLDER keeps pages and screenshots there.
. "$(dirname "$0")/lib.sh"
PEER=$OUT/tests/front_peer
AUDIT=$BIN/chaski-audit
A=CO/MUN/890905211 B=CO/GOV/899999027 D=CO/GOV/800197268 E=CO/GOV/899999040
RTL=$'\xe2\x80\xae' # turns the direction of writing
HOSTILE="<script>document.title='taken'</script>\"'&$RTL<img src=x onerror=alert(1)>"
CHECKPOINT_MS=300
PUBLISH_MS=700
country_make >/dev/null
member_make a $A/SS1 "Alcaldía de Medellín" TRAMITES >/dev/null
member_make b $B/SS1 "DANE" DIVIPOLA >/dev/null
member_make d $D/SS1 "DIAN <script>1</script><img src=x onerror=2> & \"Ñ\"" RUT >/dev/null
member_make e $E/SS1 "Registraduría" IDENTIDAD >/dev/null
port=$(free_port)
registry service add $B/DIVIPOLA/municipios --class open >/dev/null || die "no service"
registry service add $D/RUT/estado --class shared >/dev/null || die "no service"
registry service add "$D/RUT/%3Cscript%3Ealert(1)" --class shared >/dev/null || die "no hostile service"
registry service add $E/IDENTIDAD/personas >/dev/null || die "no service"
registry $(restriction_words $E/IDENTIDAD/personas) >/dev/null || die "no restriction"
registry witness assign --per-log 3 --quorum 2 >/dev/null || die "no witnesses"
"$BIN/chaski-registry" serve "$C/store" --listen "127.0.0.1:$port" 2>>"$C/tsa.events" &
pids+=($!)
wait_for 5 curl -fsS -o /dev/null "http://127.0.0.1:$port/healthz" || die "no TSA"
registry stamp-authority url --url "http://127.0.0.1:$port/tsa" --name NACIONAL >/dev/null || die "no TSA"
publish
printf 'cod,nombre\n05001,MEDELLÍN\n11001,BOGOTÁ\n' >"$C/tabla.csv"
echo "service \"$B/DIVIPOLA/municipios\" { kind = table file = \"$C/tabla.csv\" key = \"cod\" }" >"$C/b/services/t.conf"
echo "service \"$D/RUT/estado\" { kind = table file = \"$C/tabla.csv\" key = \"cod\" }" >"$C/d/services/t.conf"
for m in a b d e; do server_start $m || die "server $m: $(tail -n 1 "$C/$m/server.events")"; done
for m in a b d; do gateway_start $m || die "gateway $m: $(tail -n 1 "$C/$m/gateway.events")"; done
wait_for 5 grep -q front.gateway_arrived "$C/d/server.events" || die "no gateway"
"$PEER" serve "ipc://$C/e/front" $E/IDENTIDAD 2>/dev/null &
pids+=($!)

# --- exchanges ------------------------------------------------------------------------------------
URL=$(gateway_url a)
get() { curl -s -m 20 -o /dev/null -H "X-Road-Client: $A/TRAMITES" "${@:2}" "$URL/r1/$1"; }
for ((i = 0; i < 30; i++)); do get $B/DIVIPOLA/municipios/05001; done
for ((i = 0; i < 7; i++)); do get $B/DIVIPOLA/municipios/99999; done # 404
for ((i = 0; i < 12; i++)); do get $D/RUT/estado/05001 -H "Chaski-Purpose: P-1"; done
for ((i = 0; i < 5; i++)); do get $D/RUT/estado/05001; done # no purpose
for ((i = 0; i < 9; i++)); do get $E/IDENTIDAD/personas/1 -H "Chaski-Purpose: P-1"; done # no grant
get $B/DIVIPOLA/nada/1
ask() { timeout 30 "$PEER" ask "ipc://$C/$1/front" "$2" "$3" "$4" 4 "${5:-}" >/dev/null 2>&1; }
ask e $E/IDENTIDAD $B/DIVIPOLA/municipios 16
ask d $D/RUT $B/DIVIPOLA/municipios 3 "$HOSTILE"
ask b $B/DIVIPOLA "$D/RUT/%3Cscript%3Ealert(1)" 2 P-1
ask a $A/TRAMITES "$D/RUT/%3Cscript%3Ealert(1)" 2 P-1
sleep 2.5
for m in a b d e; do server_stop $m; done
sleep 2.1
KEYS=(--store-key "$C/a/keys/store.key" --store-key "$C/b/keys/store.key" --store-key "$C/d/keys/store.key" --store-key "$C/e/keys/store.key")
ALL=("$C/a/audit" "$C/b/audit" "$C/d/audit" "$C/e/audit")

report() { "$AUDIT" report "$@" "${KEYS[@]}" >"$C/said" 2>&1; echo $?; }
check "a page is made of honest logs" equal "$(report "${ALL[@]}" --html "$C/good.html")" 0
check "... which says so" contains "$(cat "$C/said")" "clean: "
check "a page is not written over" equal "$(report "${ALL[@]}" --html "$C/good.html")" 2
check "nor into a log's folder" equal "$(report "${ALL[@]}" --html "$C/b/audit/log/x.html")" 2
check "nor without a name" equal "$(report "${ALL[@]}")" 2
check "of one log" equal "$(report "$C/b/audit" --html "$C/one.html")" 0

# --- logs with findings, and an empty one ---------------------------------------------------------
X=$C/"copy <i>x"
cp -r "$C/b/audit" "$X"
slab=$(ls "$X"/keys/*.slab | head -n 1)
for ((i = 2; i < 60; i += 2)); do slot_set "$slab" $i 00000002 "$NO_KEY"; done
flip "$(ls "$X"/payload/*.seg | head -n 1)" 300
rm "$X/log/1/promise"
check "a page is made of logs with findings" equal "$(report "$C/a/audit" "$X" "$C/d/audit" --html "$C/bad.html")" 1
check "... which says so" contains "$(cat "$C/said")" "NOT CLEAN: "
cp -r "$C/a/audit" "$C/empty"
rm -r "$C"/empty/log/1/*
check "and of an empty log" equal "$(report "$C/empty" --html "$C/empty.html")" 1

# --- in a browser ---------------------------------------------------------------------------------
# What it asks for stands in its own log; no name is looked up, so that nothing leaves this machine.
browse() { # NAME FLAGS...: of the page NAME.html; what it loads goes to NAME.net
    rm -rf "$C/profile"
    timeout -k 5 90 chromium --headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking \
        --disable-component-update --disable-sync --disable-dev-shm-usage \
        --host-resolver-rules="MAP * ~NOTFOUND, EXCLUDE 127.0.0.1" --user-data-dir="$C/profile" \
        --log-net-log="$C/$1.net" "${@:2}" "file://$C/$1.html" 2>>"$C/chromium.err" </dev/null
}
for page in good bad empty; do browse $page --dump-dom >"$C/$page.dom"; done
has() { grep -q "$2" "$C/$1.dom" || { echo "no $2"; return 1; }; }
for chart in time who rules latency lanes; do check "the browser shows the chart $chart" has good "<svg id=\"chart-$chart\""; done
check "... with columns" test "$(grep -c '<rect class="ok"' "$C/good.dom")" -ge 1
check "... the verdict" has good "<h1>Clean: no findings</h1>"
check "... with findings, how many" has bad "<h1>Not clean: $("$AUDIT" verify "$C/a/audit" "$X" "$C/d/audit" "${KEYS[@]}" --json | jq .count) findings</h1>"
check "... at most 20 of a rule" equal "$(grep -o '<article class="finding">' "$C/bad.dom" | wc -l)" "$("$AUDIT" verify "$C/a/audit" "$X" "$C/d/audit" "${KEYS[@]}" --json |
    jq '[.findings | group_by(.rule)[] | [length, 20] | min] | add')"
check "... saying where the evidence lies" has bad "log/1/wal/00000000000000000000.seg"
check "... and how to look at it" has bad "chaski-audit show "
check "an empty log is a page, too" has empty "There are no exchanges to show"
check "... with its finding" has empty "the log is empty"

# --- the figures ----------------------------------------------------------------------------------
found() { "$AUDIT" search "$C/b/audit" --index "$C/index.db" --json --limit 10000 "$@" | jq '.rows | length'; }
kinds() { "$AUDIT" show "$C/b/audit" --kind "$1" --json | jq length; }
browse one --dump-dom >"$C/one.dom"
tile() { sed -n "s:.*<span class=\"name\">$1</span><b>\([0-9,]*\)</b>.*:\1:p" <(sed 's:</li>:&\n:g' "$C/one.dom") | tr -d ,; }
check "answered: as search counts" equal "$(tile Answered)" "$(found --outcome ok)"
check "refused" equal "$(tile Refused)" "$(found --outcome refused)"
check "failed" equal "$(tile Failed)" "$(found --outcome failed)"
check "without an outcome" equal "$(tile "No outcome")" "$(found --outcome none)"
check "... more than nothing" test "$(tile Answered)" -ge 30 -a "$(tile Refused)" -ge 7
row=$(sed 's:</tr>:&\n:g' "$C/one.dom" | grep -F "$C/b/audit" | grep -o '<td class="n">[0-9,]*</td>' | tr -dc '0-9\n' | tr '\n' ' ')
check "entries, requests, responses and faults: as show counts" equal "$row" "$("$AUDIT" show "$C/b/audit" --json | jq length) $(kinds request) $(kinds response) $(kinds fault) "
tally() { sed 's:</tr>:&\n:g' "$C/one.dom" | grep -F "$1</bdi></td>" | tail -n 1 | grep -o '<td class="n">[0-9,]*</td>' | tail -n 1 | tr -dc 0-9; }
check "refusals: as search counts them" equal "$(tally 'status 404')" "$(found --outcome 404)"

report "$C/b/audit" --member $D --html "$C/one-d.html" >/dev/null
mv "$C/one-d.html" "$C/one.html"
browse one --dump-dom >"$C/one.dom"
check "of one member: as search counts" equal "$(tile Exchanges)" "$(found --member $D)"
check "... more than nothing" test "$(tile Exchanges)" -ge 3
check "... and says so" contains "$(cat "$C/one.dom")" "asked or was asked"
rm "$C/one.html"
report "$C/b/audit" --from 2031-01-01 --html "$C/one.html" >/dev/null
browse one --dump-dom >"$C/one.dom"
check "of another time: none" equal "$(tile Exchanges) $(grep -c 'There are no exchanges' "$C/one.dom")" "0 1"
check "... while all is verified" contains "$(cat "$C/one.dom")" "Each of $("$AUDIT" show "$C/b/audit" --json | jq length) entries"
check "a time that is none is refused" equal "$(report "$C/b/audit" --from gestern --html "$C/two.html")" 2

# --- strangers' words -----------------------------------------------------------------------------
for page in good bad; do
    check "$page: no script came to be" equal "$(grep -ci '<script' "$C/$page.dom")" 0
    check "$page: nor a picture, a link or a frame" equal "$(grep -ciE '<(img|iframe|object|embed|link|form|base)[ >]' "$C/$page.dom")" 0
    check "$page: nor anything that acts" equal "$(grep -ciE '<[a-z]+[^>]* (on[a-z]+|src|srcset|style)=' "$C/$page.dom")" 0
    check "$page: the title is ours" has $page "<title>Audit of evidence logs</title>"
    check "$page: no change of the direction of writing" equal "$(grep -c "$RTL" "$C/$page.dom")" 0
done
check "a member's name is shown as it is" grep -qF '<bdi>DIAN &lt;script&gt;1&lt;/script&gt;&lt;img src=x onerror=2&gt; &amp; "Ñ"</bdi>' "$C/good.dom"
check "a folder's, too" grep -qF 'copy &lt;i&gt;x' "$C/bad.dom"
check "the policy forbids all" has good "default-src 'none'; style-src 'sha256-"
hash=$(sed -n 's/^<style>\(.*\)<\/style>$/\1/p' "$C/good.html" | tr -d '\n' | openssl dgst -sha256 -binary | base64)
check "... but for this one style" has good "style-src 'sha256-$hash'"
# what a page asks for has an origin; what the browser asks for by itself has none
asked() { jq -r '.events[].params | select(.url? and .initiator? and .initiator != "not an origin") | .url' "$C/$1.net" | sort -u; }
echo '<!DOCTYPE html><title>x</title><img src="http://127.0.0.1:1/bild.png">' >"$C/control.html"
browse control --dump-dom >"$C/control.dom"
check "a page that asks for something is noticed" equal "$(asked control)" "http://127.0.0.1:1/bild.png"
check "no page of ours asks for anything" equal "$(for page in good bad empty; do asked $page; done)" ""
links=$(grep -oE '(href|src)="[^"]*"' "$C/good.html" "$C/bad.html" | grep -v 'href="#' | head -n 3)
check "nor names anything to ask for" equal "$links" ""

# --- as a picture ---------------------------------------------------------------------------------
sees() { # PAGE: is the screenshot a picture with many colours?
    browse "$1" --screenshot="$C/$1.png" --window-size=1180,1600 --hide-scrollbars >/dev/null
    [ "$(xxd -l 8 -p "$C/$1.png")" = 89504e470d0a1a0a ] || { echo "no PNG"; return 1; }
    [ "$(stat -c %s "$C/$1.png")" -gt 60000 ] || { echo "$(stat -c %s "$C/$1.png") bytes: a blank page"; return 1; }
}
for page in good bad; do check "the browser draws $page" sees $page; done
if [ -n "${KEEP:-}" ]; then mkdir -p "$KEEP" && cp "$C"/*.html "$C"/*.png "$C"/*.dom "$KEEP"; fi
finish
