#!/bin/bash
# SPDX-License-Identifier: MIT
# Headers that are signed together: both sides sign batches under load, and kill -9 in the middle of them leaves durable before
# effect as it was - what was served stood in both logs before, what was answered stands in both. A record out of a batch proves
# itself with stock tools, and nothing of it can be changed or exchanged for another of the same batch.
. "$(dirname "$0")/lib.sh"
AUDIT=$BIN/chaski-audit
PEER=$OUT/tests/front_peer
two_members
publish
servers_start a b
stand_in_start b CO/GOV/899999027/DIVIPOLA "$C/served"
client=CO/MUN/890905211/TRAMITES

# one at a time: nothing waits for company
"$PEER" ask "ipc://$C/a/front" $client $S 5 1 >"$C/alone.out" 2>&1
check "five exchanges one after the other" contains "$(cat "$C/alone.out")" OK
"$AUDIT" show "$C/a/audit" --json >"$C/alone.json" 2>/dev/null
check "... are signed each by itself" equal "$(grep -c '"batch"' "$C/alone.json")" 0

"$PEER" ask "ipc://$C/a/front" $client $S 10000000 64 "" "$C/answered" >"$C/ask.out" 2>&1 &
asker=$!
pids+=($asker)
answered() { [ "$(wc -l <"$C/answered" 2>/dev/null || echo 0)" -gt "$1" ]; }
check "exchanges are answered under load" wait_for 60 answered 500
for ((i = 0; i < 6; i++)); do
    victim=$([ $((i % 2)) = 0 ] && echo a || echo b)
    before=$(wc -l <"$C/answered")
    server_kill $victim
    server_start $victim || die "$victim does not come back: $(tail -n 1 "$C/$victim/server.events")"
    wait_for 60 answered $((before + 200)) || die "nothing is answered after $victim was killed"
done
kill $asker 2>/dev/null
wait $asker 2>/dev/null
server_stop a; check "the consumer's server stops as asked" equal $? 0
server_stop b; check "the provider's server stops as asked" equal $? 0
for name in a b; do
    "$AUDIT" show "$C/$name/audit" --json >"$C/$name.json" 2>/dev/null
    # of each record: its exchange as 32 hex digits, its kind
    awk -F'"' '$2 == "kind" { kind = $4 } $2 == "exchange" { gsub(/-/, "", $4); print $4, kind }' "$C/$name.json" >"$C/$name.records"
    awk '$2 == "request" { print $1 }' "$C/$name.records" | sort -u >"$C/$name.requests"
    awk '$2 == "response" { print $1 }' "$C/$name.records" | sort -u >"$C/$name.responses"
    sort -u "$C/served" | comm -23 - "$C/$name.requests" >"$C/$name.unkept"
    check "each request that was served stands in the log of $name" equal "$(wc -l <"$C/$name.unkept")" 0
    sort -u "$C/answered" | comm -23 - "$C/$name.responses" >"$C/$name.missing"
    check "each answer that was given stands in the log of $name" equal "$(wc -l <"$C/$name.missing")" 0
done
check "no request was served twice" equal "$(sort "$C/served" | uniq -d | wc -l)" 0
check "requests were signed in batches" test "$(grep -c '"batch"' "$C/a.json")" -gt 100
check "both logs verify, with one another" "$AUDIT" verify "$C/a/audit" "$C/b/audit" --store-key "$C/a/keys/store.key" --store-key "$C/b/keys/store.key"

# two entries of one batch: the same head, so neighbours of one kind
in_batch() { awk -F'[ :,]+' -v kind="\"$1\"" '/"index"/ { at = $3 } /"kind"/ { k = $3 } /"batch"/ && k == kind { print at }' "$C/a.json"; }
for kind in request response; do
    entry=$(in_batch $kind | head -n 1)
    [ -n "$entry" ] || { not_ok "a $kind of a batch" "there is none"; continue; }
    F=$C/one-$kind # not "request": verify.sh would take that for what the response answers
    check "a $kind of a batch is exported" "$AUDIT" export "$C/a/audit" "$entry" --to "$F" --asice "$C/$kind.asice" --store-key "$C/a/keys/store.key"
    check "... and passes verify.sh" contains "$(bash "$F/verify.sh" 2>&1 | tail -n 1)" PASS
    check "... also out of its container" contains "$(mkdir "$C/$kind-asice" && cd "$C/$kind-asice" && unzip -q "$C/$kind.asice" && bash verify.sh 2>&1 | tail -n 1)" PASS
    check "... stock openssl verifies the head" cmp <(openssl cms -verify -cades -binary -inform DER -in "$F/leaf.p7m" \
        -certfile "$F/signer.pem" -CAfile "$F/trust.pem" 2>/dev/null) "$F/batch.head"
    check "... and the detached signature is over it" openssl cms -verify -cades -binary -inform DER -CAfile "$F/trust.pem" \
        -in "$C/$kind-asice/message-signature.p7s" -content "$F/batch.head" -out /dev/null
done
check "ASiC-S, which is for one signature over one header, is refused with a way out" contains \
    "$("$AUDIT" export "$C/a/audit" "$entry" --asics "$C/x.asics" 2>&1)" "take --asice"

# a byte changed in each of the files of the batch, a file missing, another member's header
F=$C/one-request
fails() { # WORD: verify.sh says FAIL, and names it
    local said
    said=$(bash "$C/changed/verify.sh" 2>&1 | tail -n 1)
    case $said in FAIL*"$1"*) return 0 ;; esac
    echo "$said"
    return 1
}
change() { rm -rf "$C/changed"; cp -r "$F" "$C/changed"; }
for file in batch.place batch.head header.bin leaf.p7m; do
    for at in 0 3 9 -1; do
        change
        [ "$at" != -1 ] || at=$(($(stat -c %s "$F/$file") - 1))
        flip "$C/changed/$file" "$at"
        check "byte $at of $file, changed, is found" fails signature
    done
    change
    rm "$C/changed/$file"
    check "without $file it does not pass" fails signature
done
others=($(in_batch request))
for other in "${others[@]:1:3}"; do
    "$AUDIT" export "$C/a/audit" "$other" --to "$C/other-$other" >/dev/null 2>&1
    change
    cp "$C/other-$other/header.bin" "$C/other-$other/batch.place" "$C/changed/"
    check "header and place of entry $other do not serve the leaf of another entry" fails signature
done
finish
