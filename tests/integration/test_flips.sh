#!/bin/bash
# SPDX-License-Identifier: MIT
# Every byte of an exported record, changed, one at a time: verify.sh itself (openssl and coreutils) finds each change of
# leaf, payload, proof and checkpoint, and of the checkpoint in both files that hold it. One bit of each byte, another one from byte to
# byte: with all eight this would take a quarter of an hour. Each bit of each byte is tried against our library, which checks the same:
# record_flip in test_export.
# Of the token every byte is tried with the very command by which verify.sh checks it, and each sixteenth through verify.sh, which
# runs openssl several times for a token; each bit is tried in unit-crypto stamp_test, which names those that nothing covers, and why.
. "$(dirname "$0")/lib.sh"
AUDIT=$BIN/chaski-audit
A=CO/MUN/890905211
B=CO/GOV/899999027
CHECKPOINT_MS=200
PUBLISH_MS=300
two_members $B/DIVIPOLA/uno
registry witness assign --per-log 1 --quorum 1 >/dev/null || die "no witnesses"
port=$(free_port)
registry stamp-authority url --url "http://127.0.0.1:$port/tsa" >/dev/null || die "no time stamp authority"
tsa_serve "$port"
publish
servers_start a b
stand_in_start b $B/DIVIPOLA
answered() { timeout 30 "$PEER" ask "ipc://$C/a/front" $A/TRAMITES $S 2 1 2>/dev/null | grep -q 'OK  *2$'; }
check "exchanges" answered
stamped() { [ "$(cut -d ' ' -f 1 "$C/b/audit/log/1/stamped" 2>/dev/null)" -ge 5 ]; }
check "they are witnessed and stamped" wait_for 20 stamped
server_stop a; server_stop b
F=$C/record
"$AUDIT" export "$C/b/audit" 2 --to "$F" --store-key "$C/b/keys/store.key" >"$C/exported" 2>&1 || die "no record: $(cat "$C/exported")"
check "the record passes" contains "$(bash "$F/verify.sh" 2>&1 | tail -n 1)" PASS
check "... with its payload, a witness and a time stamp" equal \
    "$(bash "$F/verify.sh" 2>&1 | grep -cE '^(payload|witnesses|timestamp) +ok')" 3

# What else lies in the folder would find no change of that file, and only takes time: the checks of it fail, or have nothing to
# check, before and after. The file's own checks must pass before, and one of them fail after.
declare -A needs=(
    [leaf.p7m]="leaf.p7m header.bin signer.pem chain.pem trust.pem record.tlog-proof checkpoint log.vkey"
    [payload.bin]="leaf.p7m header.bin signer.pem chain.pem trust.pem payload.bin"
    [record.tlog-proof]="leaf.p7m trust.pem record.tlog-proof checkpoint log.vkey policy"
    [checkpoint]="leaf.p7m trust.pem record.tlog-proof checkpoint log.vkey policy"
    [both]="leaf.p7m trust.pem record.tlog-proof checkpoint log.vkey policy"
    [checkpoint.tst]="leaf.p7m trust.pem record.tlog-proof checkpoint checkpoint.tst"
) found_by=(
    [leaf.p7m]="signature inclusion"
    [payload.bin]="payload"
    [record.tlog-proof]="inclusion checkpoint witnesses"
    [checkpoint]="checkpoint"
    [both]="inclusion checkpoint witnesses"
    [checkpoint.tst]="timestamp"
)
size_of() { if [ "$1" = both ]; then stat -c %s "$F/checkpoint"; else stat -c %s "$F/$1"; fi; }
# WHAT FIRST STEP: changes every STEP-th byte from FIRST on in a copy of its own; a line for each, with the names of what fails
cat >"$C/flipper" <<'FLIPPER'
what=$1 first=$2 step=$3 from=$4 at_work=$5 needs=$6
mkdir -p "$at_work"
for name in $needs; do cp "$from/$name" "$at_work/"; done
cp "$from/verify.sh" "$at_work/"
files=$what
[ "$what" != both ] || files="checkpoint record.tlog-proof"
size=$(stat -c %s "$at_work/${files%% *}")
change() { # FILE AT BIT
    local byte
    byte=$(xxd -s "$2" -l 1 -p "$at_work/$1")
    printf "\\x$(printf %02x $((16#$byte ^ $3)))" | dd of="$at_work/$1" bs=1 seek="$2" conv=notrunc 2>/dev/null
}
for ((i = first; i < size; i += step)); do
    for file in $files; do # a checkpoint stands at the end of the proof too
        [ $file = record.tlog-proof ] && [ "$what" = both ] && at=$((i + $(stat -c %s "$at_work/$file") - size)) || at=$i
        change $file $at $((1 << i % 8))
    done
    for file in $files; do
        ! cmp -s "$from/$file" "$at_work/$file" || echo "$what $i UNCHANGED $file"
    done
    for _ in 1 2; do
        timeout 60 bash "$at_work/verify.sh" >"$at_work.said" 2>&1
        status=$?
        said=$(tail -n 1 "$at_work.said")
        case $said in PASS* | FAIL*) break ;; esac
        # a run that came to no end says nothing of the change: it is told of, and done again
        echo "$what $i with status $status after: $said" >>"$at_work.unended"
    done
    echo "$what $i $said"
    for file in $files; do cp "$from/$file" "$at_work/$file"; done
done
FLIPPER
fails_of() { local copy=$C/base; rm -rf "$copy"; mkdir "$copy"; local n; for n in ${needs[$1]} verify.sh; do cp "$F/$n" "$copy/"; done; bash "$copy/verify.sh" 2>&1 | tail -n 1; }
any_of() { local name; for name in $2; do [[ " $1 " != *" $name "* ]] || return 0; done; return 1; }
flip_all() { # WHAT STEP: what is said of each changed byte goes to $C/flipped
    bash "$C/flipper" "$1" 0 $(($2 * 2)) "$F" "$C/work0" "${needs[$1]}" >"$C/flipped.0" 2>&1 &
    local other=$!
    bash "$C/flipper" "$1" "$2" $(($2 * 2)) "$F" "$C/work1" "${needs[$1]}" >"$C/flipped.1" 2>&1
    wait $other
    rm -rf "$C/work0" "$C/work1"
    cat "$C"/work[01].unended 2>/dev/null | sed 's/^/# no verdict: /'
    rm -f "$C"/work[01].unended
    cat "$C/flipped.0" "$C/flipped.1" >"$C/flipped"
}
missed() { # WHAT: the places of changes that no check of it found
    local at said
    while read -r _ at said; do any_of "$said" "${found_by[$1]}" || echo "$at"; done <"$C/flipped" | sort -n; }
for what in leaf.p7m payload.bin record.tlog-proof checkpoint both; do
    check "unchanged, no check of $what fails" eval "! any_of '$(fails_of $what)' '${found_by[$what]}'"
    size=$(size_of $what)
    flip_all $what 1
    check "each of the $size bytes of $what was changed" equal "$(cut -d ' ' -f 2 "$C/flipped" | sort -nu | wc -l)" "$size"
    check "... and each change found by verify.sh" equal "$(missed $what | tr '\n' ' ')" ""
    missed $what | while read -r at; do grep "^$what $at " "$C/flipped" | sed 's/^/# /'; done # what it said instead
done

# --- the token
token_passes() { openssl ts -verify -in "$1" -token_in -data "$F/checkpoint" -CAfile "$F/trust.pem" -partial_chain >/dev/null 2>&1; }
token_says() { openssl ts -reply -in "$1" -token_in -text 2>/dev/null; }
check "unchanged, no check of the token fails" eval "! any_of '$(fails_of checkpoint.tst)' timestamp"
size=$(size_of checkpoint.tst)
token_says "$F/checkpoint.tst" >"$C/token.says"
cp "$F/checkpoint.tst" "$C/token"
for ((i = 0; i < size; i++)); do
    byte=$(xxd -s $i -l 1 -p "$C/token")
    printf "\\x$(printf %02x $((16#$byte ^ (1 << i % 8))))" | dd of="$C/token" bs=1 seek=$i conv=notrunc 2>/dev/null
    echo $i >>"$C/token.tried"
    if token_passes "$C/token"; then
        echo $i >>"$C/token.passed"
        token_says "$C/token" | cmp -s - "$C/token.says" || echo $i >>"$C/token.other"
    fi
    printf "\\x$byte" | dd of="$C/token" bs=1 seek=$i conv=notrunc 2>/dev/null
done
check "each of the $size bytes of the token was changed" equal "$(wc -l <"$C/token.tried")" "$size"
check "... and put back" cmp "$C/token" "$F/checkpoint.tst"
check "what openssl passes of them says the same of the same bytes" test ! -e "$C/token.other"
check "... and is little: versions, parameters, a name that a hash stands for" test "$(wc -l <"$C/token.passed")" -lt 32
flip_all checkpoint.tst 16
check "verify.sh finds what openssl finds" equal "$(missed checkpoint.tst | while read -r at; do grep -qx "$at" "$C/token.passed" || echo "$at"; done)" ""
check "... of each sixteenth byte" equal "$(wc -l <"$C/flipped")" $(((size + 15) / 16))
finish
