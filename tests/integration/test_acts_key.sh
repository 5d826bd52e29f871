#!/bin/bash
# SPDX-License-Identifier: MIT
# The certificate that signs acts is changed while nodes run, by an act that two operators approve: who follows goes on,
# who was away comes through, with the anchor of before; a lost key gives way without its signature; a copy of before
# hears that it is old; auditors verify across the changes, with the program and with openssl alone.
. "$(dirname "$0")/lib.sh"
refused() { ! "$@"; }
CHECKPOINT_MS=300
PUBLISH_MS=600
two_members
for who in ana blas; do
    "$BIN/chaski-registry" operator key "$C/$who.key" >"$C/$who.pub" || die "no key"
    registry operator add "$who" --name "$who" --key "$(cat "$C/$who.pub")" --role enrol --role approve --role publish >/dev/null || die "no operator"
done
port=$(free_port); admin_port=$(free_port)
registry anchor --url "http://127.0.0.1:$port" --days 2 --to "$C/chaski.anchor" >/dev/null || die "no anchor"

serve() { # STORE [FOLDER]
    rm -f "$C/ready"
    "$BIN/chaski-registry" serve "$1" --listen "127.0.0.1:$port" --directory "${2:-$C/directory}" --authority --admin "127.0.0.1:$admin_port" \
        --ready-file "$C/ready" 2>>"$C/serve.events" &
    pid=$!
    pids+=($pid)
    wait_for 20 test -s "$C/ready" || die "it does not start: $(tail -n 1 "$C/serve.events")"
    authority_pid=$(sed -n 's/^authority_pid=//p' "$C/ready")
}
serve_stop() { kill "$pid"; wait "$pid" 2>/dev/null; wait_for 10 gone "$authority_pid"; }
at() { "$BIN/chaski-registry" "${@:2}" --at "https://127.0.0.1:$admin_port" --anchor "$C/chaski.anchor" --as "$C/$1.key"; }
follow() { # NAME
    sed -i -e '/^directory_folder\|^trust_file\|^authority_file/d' "$C/$1/server.conf"
    printf 'anchor_file = "%s"\ndirectory_poll_ms = 300\nwitness_alarm_ms = 600000\n' "$C/chaski.anchor" >>"$C/$1/server.conf"
}
fresh() { # NAME: as a, before it ever ran
    mkdir -p "$C/$1"
    cp -r "$C/a/keys" "$C/$1/"
    sed "s|$C/a/|$C/$1/|; s|$C/a\"|$C/$1\"|" "$C/a/server.conf" >"$C/$1/server.conf"
}
head_of() { sed -n 2p "$C/directory/checkpoint"; }
has() { [ "$(sed -n 2p "$C/$1/audit/directory/checkpoint" 2>/dev/null)" = "$(head_of)" ]; }
certificates() { grep -c 'BEGIN CERTIFICATE' "$1/authority.pem"; }
start() { server_start "$1" 30 || die "server $1: $(tail -n 2 "$C/$1/server.events")"; }
change() { at "${2:-ana}" purpose add "$1" --title "$1" --legal-basis "Ley de prueba" 2>&1; }
ask() { timeout 30 "$PEER" ask "ipc://$C/a/front" CO/MUN/890905211/TRAMITES "$S" 2 1 2>/dev/null; }
answered() { [[ $(ask) =~ OK\ +2$ ]]; }
approve() { # FILE: ana proposes it, blas approves; $said is what blas is told
    local id
    id=$(at ana acts-key use "$1" 2>&1 | grep -o '\<[0-9a-f]\{16\}\>' | head -n 1)
    said=$(at blas approve "$id" --yes 2>&1)
}

serve "$C/store"
follow a; follow b
start a; start b
stand_in_start b CO/GOV/899999027/DIVIPOLA
check "an exchange before" answered
wait_for 15 has a; wait_for 15 has b || die "nodes do not follow"
server_stop b # away from here on
serve_stop
cp -r "$C/store" "$C/before"; rm -f "$C/before/lock"

# --- renewal ------------------------------------------------------------------------------------------
said=$(registry acts-key make)
file=$(find "$C/store" -maxdepth 1 -name 'acts-*.json')
check "the next key is made" test -s "$file"
check "... for nobody else" equal "$(stat -c %a "$C"/store/keys/acts-*.key)" 600
check "... and what to do with it is said" contains "$said" "acts-key use $file"
serve "$C/store"
check "it signs nothing yet" equal "$(certificates "$C/directory")" 1
sed 's/\("signature_before": "....\)../\1ff/' "$file" >"$C/bad.json"
check "a change that the key that gives way did not sign is refused" contains "$(at ana acts-key use "$C/bad.json" 2>&1)" "did not sign"
at ana acts-key use "$file" >/dev/null 2>&1
check "one operator is not enough" equal "$(certificates "$C/directory")" 1
approve "$file"
check "a second one approves it, in words" contains "$said" "whose key signed that it gives way"
check "from then on both certificates are shown" equal "$(certificates "$C/directory")" 2
check "a node follows" wait_for 15 has a
check "... and shows both" equal "$(certificates "$C/a/audit/directory")" 2
check "further acts are taken" change P-1
check "... and followed" wait_for 15 has a
check "the same again is refused" contains "$(at ana acts-key use "$file" 2>&1)" "refused"
start b
check "who was away comes through" wait_for 15 has b
stand_in_start b CO/GOV/899999027/DIVIPOLA
check "an exchange after" answered
server_stop a
fresh first
start first
check "a first start comes through with the anchor of before" wait_for 15 has first
server_stop first

# --- a restart --------------------------------------------------------------------------------------
serve_stop
start a
check "a node starts again without network" wait_for 15 has a
mv "$C/store/keys/acts.key" "$C/gone.key"
serve "$C/store"
check "the key that gave way is not needed" change P-2
check "... nodes follow" wait_for 15 has a
serve_stop

# --- lost -------------------------------------------------------------------------------------------
mv "$C"/store/keys/acts-*.key "$C/lost.key"
serve "$C/store"
size=$(head_of)
check "a store without the key signs nothing, and says so" contains "$(change P-3; cat "$C/serve.events")" "the key that signs acts, is not there"
check "... and shows what it showed" equal "$(head_of)" "$size"
serve_stop
rm -f "$file"
check "a lost key gives way without its signature" contains "$(registry acts-key make)" "did not sign that it gives way"
file=$(find "$C/store" -maxdepth 1 -name 'acts-*.json')
serve "$C/store"
approve "$file"
check "... which is said to who approves it" contains "$said" "lost or stolen"
check "... three certificates are shown" equal "$(certificates "$C/directory")" 3
check "... further acts are taken" change P-4
check "... and nodes follow" wait_for 15 has a
check "... the other one too" wait_for 15 has b
check "an exchange after it" answered
serve_stop

# --- a copy of before -----------------------------------------------------------------------------------
cp -r "$C/before" "$C/older"
rm -f "$C/ready"
"$BIN/chaski-registry" serve "$C/older" --listen "127.0.0.1:$port" --directory "$C/older-folder" --authority --ready-file "$C/ready" 2>>"$C/older.events" &
pid=$!; pids+=($pid)
check "a copy of before the change hears of it and ends" wait_for 60 gone "$pid"
wait "$pid"
check "... since it was shown an act" contains "$(cat "$C/older.events")" "who follows holds acts that this store does not"

# --- takeover and audit ------------------------------------------------------------------------------
registry backup --to "$C/copy" >/dev/null || die "no backup"
serve "$C/copy"
check "a copy takes over" change P-5
check "... and nodes follow it" wait_for 30 has a
wait_for 15 has b
serve_stop
server_stop a; server_stop b
check "an auditor verifies across the changes" "$BIN/chaski-audit" verify "$C/a/audit" "$C/b/audit"
check "acts of before and after are listed" contains "$("$BIN/chaski-registry" acts "$C/directory" --anchor "$C/chaski.anchor" 2>&1)" "P-5"
index=$("$BIN/chaski-audit" show "$C/b/audit" --kind request | awk '{ print $1 }' | tail -n 1)
"$BIN/chaski-audit" export "$C/b/audit" "$index" --to "$C/record" >"$C/exported" 2>&1 || die "no export: $(cat "$C/exported")"
verify() { bash "$C/$1/verify.sh" 2>&1; }
check "a record that was exported verifies with openssl alone" contains "$(verify record)" "by epoch"
check "... as registered" refused grep -q '^FAIL.* registration' <(verify record)
cp -r "$C/record" "$C/short"
sed -n '1,/END CERTIFICATE/p' "$C/record/directory/authority.pem" >"$C/short/directory/authority.pem"
check "... not without the certificate that signed" contains "$(verify short | tail -n 1)" "registration"
finish
