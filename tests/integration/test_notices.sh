#!/bin/bash
# SPDX-License-Identifier: MIT
# A restriction that ends: the provider is reminded, and its end stands in both logs, once each, also when a node
# was stopped meanwhile.
. "$(dirname "$0")/lib.sh"
country_make >/dev/null
member_make a CO/MUN/890905211/SS1 "Medellín" TRAMITES >/dev/null
member_make b CO/GOV/899999027/SS1 "DANE" DIVIPOLA >/dev/null
member_make c CO/GOV/899999040/SS1 "Registraduría" IDENTIDAD >/dev/null
D=CO/GOV/899999027/DIVIPOLA
registry service add $D/municipios --class open >/dev/null || die "no service"
restrict() { "$OUT/tests/directory_act" restrict "$C/store" "$1" "$D/municipios" "$2" "$3" || die "no restriction"; }
restrict R-1 CO/MUN 12000
restrict R-2 "" 3000000000 # 34 days
publish
for name in a b c; do server_start $name || die "server $name does not start"; done
notices() { "$BIN/chaski-audit" show "$C/$1/audit" --json 2>/dev/null | jq -r 'if type == "array" then .[] else . end | select(.kind == "notice") | .rule' | sort; }
has() { [ "$(notices "$1" | grep -c -x "$2")" = 1 ]; }
check "the provider's log has the reminder" wait_for 20 has b "restriction/ends-in-7-days R-1"
check "... of each restriction, by how much is left" wait_for 20 has b "restriction/ends-in-60-days R-2"
server_stop a || die "a does not stop"
check "the provider's log has the end" wait_for 40 has b "restriction/ended R-1"
server_start a || die "a does not start"
check "... and so has the log of who was shut out, which was stopped then" wait_for 20 has a "restriction/ended R-1"
server_stop b && server_start b || die "b does not start again"
registry service add $D/otro --class open >/dev/null && publish # a new state to look at
epoch_taken() { said_since_start b directory.taken; }
wait_for 20 epoch_taken
sleep 3
check "each is said once, also after a new start" equal "$(notices b | tr '\n' ' ')" \
    "restriction/ended R-1 restriction/ends-in-60-days R-2 restriction/ends-in-7-days R-1 "
check "who was shut out is not reminded of what is not its own" equal "$(notices a | tr '\n' ' ')" "restriction/ended R-1 "
check "whom it does not concern says nothing" equal "$(notices c)" ""
check "operators read it too" equal "$(grep -c '"restriction.ended"' "$C/b/server.events") $(grep -c '"restriction.ends_soon"' "$C/b/server.events")" "1 2"
servers_stop a b c || die "a server does not stop"
verified() { "$BIN/chaski-audit" verify "$C/b/audit" "$C/a/audit" --directory "$C/directory" >"$C/verified" 2>&1; }
check "the logs verify" verified
finish
