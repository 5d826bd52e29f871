#!/bin/bash
# SPDX-License-Identifier: MIT
# Who has stolen the log key in force shows the registry a larger head. It holds acts back, goes on with everything else,
# finds that nobody has the acts, says that the key is stolen, and lets the change of the key through and nothing else.
. "$(dirname "$0")/lib.sh"
refused() { ! "$@"; }
CHECKPOINT_MS=300
country_make >/dev/null
member_make a CO/MUN/890905211/SS1 "Medellín" TRAMITES >/dev/null
for who in ana blas; do
    "$BIN/chaski-registry" operator key "$C/$who.key" >"$C/$who.pub" || die "no key"
    registry operator add "$who" --name "$who" --key "$(cat "$C/$who.pub")" --role enrol --role approve --role publish --role revoke >/dev/null || die "no operator"
done
registry log-key make >/dev/null || die "no next key"
handover=$(find "$C/store" -maxdepth 1 -name 'handover-*.json')
port=$(free_port); admin_port=$(free_port)
registry anchor --url "http://127.0.0.1:$port" --days 2 --to "$C/chaski.anchor" >/dev/null || die "no anchor"
serve() {
    rm -f "$C/ready"
    "$BIN/chaski-registry" serve "$C/store" --listen "127.0.0.1:$port" --directory "$C/directory" --authority --admin "127.0.0.1:$admin_port" \
        --held-wait 10 --ready-file "$C/ready" 2>>"$C/serve.events" &
    pid=$!
    pids+=($pid)
    wait_for 20 test -s "$C/ready" || die "it does not start: $(tail -n 1 "$C/serve.events")"
    authority_pid=$(sed -n 's/^authority_pid=//p' "$C/ready")
}
serve_stop() { kill "$pid"; wait "$pid" 2>/dev/null; wait_for 10 gone "$authority_pid"; }
at() { "$BIN/chaski-registry" "${@:2}" --at "https://127.0.0.1:$admin_port" --anchor "$C/chaski.anchor" --as "$C/$1.key"; }
size() { sed -n 2p "$C/directory/checkpoint"; }
post() { curl -s -o "$C/body" -w '%{http_code}' --data-binary @"$2" "http://127.0.0.1:$port/directory/$1"; }
get() { curl -s -o "$C/body" -w '%{http_code}' "http://127.0.0.1:$port$1"; }
has() { [ "$(sed -n 2p "$C/a/audit/directory/checkpoint" 2>/dev/null)" = "$(size)" ]; }

serve
sed -i -e '/^directory_folder\|^trust_file\|^authority_file/d' "$C/a/server.conf"
printf 'anchor_file = "%s"\ndirectory_poll_ms = 300\nwitness_alarm_ms = 600000\n' "$C/chaski.anchor" >>"$C/a/server.conf"
server_start a 30 || die "server a: $(tail -n 1 "$C/a/server.events")"
said=$(at ana status 2>&1); status=$?
check "status says that acts go on" contains "$said" "acts held back: no"
check "... and that all is well" equal $status 0

# the thief has the log key: a head of acts that nobody has
cp -r "$C/store" "$C/thief"; rm -f "$C/thief/lock"
for i in $(seq 6); do echo "purpose add T-$i --title T --legal-basis Ley"; done >"$C/few"
"$BIN/chaski-registry" batch "$C/thief" "$C/few" --as "$C/ana.key" >/dev/null || die "no forged acts"
"$BIN/chaski-registry" publish "$C/thief" --to "$C/forged" >/dev/null || die "no forged directory"
before=$(size)
check "a larger head by the key in force is taken" equal "$(post head "$C/forged/checkpoint")" 200
check "... and holds acts back" grep -q '"registry.acts_held"' "$C/serve.events"
said=$(at ana status 2>&1); status=$?
check "status says by which rule" contains "$said" "ahead/asking"
check "... and is not well" equal $status 1
said=$(at ana purpose add P-30 --title Otra --legal-basis Ley 2>&1); status=$?
check "an act that has its approvals and is held back says so" contains "$said" "could not be carried out: ahead/asking"
check "... also by its exit status" equal $status 1
held=$(grep -o '^[0-9a-f]\{16\}' <<<"$said")
at blas approve "$held" --yes >"$C/said" 2>&1; status=$?
check "... to who approves it too" contains "$status $(cat "$C/said")" "1 $held"
check "an act of operators waits" contains "$(at ana proposals 2>&1)" "ahead/asking"
check "... and nothing is signed" equal "$(size)" "$before"
check "the key is not changed before it is known" refused grep -q '"registry.log_key_stolen"' "$C/serve.events"
said=$("$BIN/chaski" service add TRAMITES/uno --class open --title Uno --anchor "$C/chaski.anchor" --server CO/MUN/890905211/SS1 --folder "$C/a/keys" 2>&1)
check "a member's act is refused, with the rule" contains "$said" "ahead/"
check "the public face goes on" equal "$(get /directory/checkpoint)" 200
check "... and takes requests" equal "$(get /enrol/v1/requests)" 405
openssl ts -query -data "$C/few" -sha256 -cert -out "$C/query" 2>/dev/null
check "... and stamps" equal "$(curl -s -o "$C/stamp" -w '%{http_code}' -H 'Content-Type: application/timestamp-query' --data-binary @"$C/query" "http://127.0.0.1:$port/tsa")" 200
check "what is no act proves nothing" test "$(post act "$C/few")" -ge 400

check "nobody shows the acts: it says that the key is stolen" wait_for 40 grep -q '"registry.log_key_stolen"' "$C/serve.events"
check "... in status too" contains "$(at ana status 2>&1)" "The log key is stolen"
serve_stop
said=$(registry purpose add P-31 --title Otra --legal-basis Ley --as "$C/ana.key" 2>&1)
check "a command on the store signs nothing either" contains "$said" "ahead/nobody"
check "... nor does publish" refused registry publish --to "$C/directory"
check "... and status says it of the store" contains "$("$BIN/chaski-registry" status "$C/store" 2>&1)" "ahead/nobody"
registry backup --to "$C/copy" >/dev/null || die "no backup"
check "... and of a backup" contains "$("$BIN/chaski-registry" status "$C/copy" 2>&1)" "ahead/nobody"
serve
check "a restart goes on holding back" contains "$(at ana status 2>&1)" "ahead/nobody"
check "... and says so of what was approved" wait_for 10 contains "$(at ana proposals)" "ahead/nobody"
check "... and still serves" equal "$(get /healthz)" 200
at ana log-key use "$handover" >/dev/null 2>&1; status=$?
check "what waits for a second approval is as it should be" equal $status 0
at blas proposals >"$C/proposals"
id=$(grep -i 'log' "$C/proposals" | grep -o '[0-9a-f]\{16\}' | head -n 1)
at blas approve "$id" --yes >/dev/null 2>&1
check "the change of the key goes through" grep -q '"registry.acts_go_on"' "$C/serve.events"
check "... what waited is carried out" wait_for 10 contains "$(at ana proposals 2>&1)" "carried out"
check "... and status is well again" at ana status
check "new acts go through" at ana purpose add P-32 --title Otra --legal-basis Ley
check "nodes follow" wait_for 20 has
check "... without a fork" refused grep -q 'conflict_kept.*fork' "$C/a/server.events"
check "the thief's head says nothing any more" test "$(post head "$C/forged/checkpoint")" -ge 400
check "... and is kept as proof" test -s "$C/store/ahead.former"
serve_stop
serve
check "it starts again as ever" at ana purpose add P-33 --title Otra --legal-basis Ley
serve_stop
server_stop a

# killed when an approval was durable, and before what it approved was
cp -r "$C/store" "$C/cut"; cp -r "$C/directory" "$C/cut-directory"
serve
at ana purpose add P-34 --title Otra --legal-basis Ley >/dev/null || die "no act"
serve_stop
cp "$C/store/proposals/"* "$C/cut/proposals/"
rm -rf "$C/store" "$C/directory"; mv "$C/cut" "$C/store"; mv "$C/cut-directory" "$C/directory"
before=$(size)
serve
is_done() { [ "$(size)" -gt "$before" ]; }
check "what was approved before it was killed is carried out when it starts again" wait_for 10 is_done
check "... which proposals say" refused grep -q waits <(at ana proposals)
serve_stop
finish
