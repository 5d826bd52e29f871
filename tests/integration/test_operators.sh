#!/bin/bash
# SPDX-License-Identifier: MIT
# Operators at the authority: each has a key of the own, and once two may approve, no act without them.
. "$(dirname "$0")/lib.sh"
country_make >/dev/null
refused() { ! "$@"; }
why() { "$@" 2>&1 >/dev/null; }
operator() { # NAME ROLE...: makes the key; the rest are further words
    local name=$1; shift
    "$BIN/chaski-registry" operator key "$C/$name.key" >"$C/$name.pub" || die "no key for $name"
    registry operator add "$name" --name "Persona $name" --key "$(cat "$C/$name.pub")" "$@"
}
AS_ANA=(--as "$C/ana.key")
AS_BOTH=(--as "$C/ana.key" --as "$C/blas.key")

check "the first operator needs nobody's approval" operator ana --role enrol --role approve
check "a key file is for its owner alone" equal "$(stat -c %a "$C/ana.key")" 600
check "a key file is not written over" refused "$BIN/chaski-registry" operator key "$C/ana.key"
check "with one alone acts need nothing" registry member add CO/GOV/1 --name Uno --public
check "... and are approved all the same by who is named" registry member add CO/GOV/2 --name Dos "${AS_ANA[@]}"
check "the second one who may approve changes that" contains "$(operator blas --role approve --role revoke)" "From now on"
check "an act without approvals says what is missing" contains "$(why registry member add CO/GOV/3 --name Tres)" \
    "two operators with the role approve"
check "... so does one that one person approves" contains "$(why registry member add CO/GOV/3 --name Tres "${AS_ANA[@]}")" \
    "two operators with the role approve"
check "one person is not two" refused registry member add CO/GOV/3 --name Tres "${AS_ANA[@]}" "${AS_ANA[@]}"
check "two are enough" registry member add CO/GOV/3 --name Tres "${AS_BOTH[@]}"
check "for what is less one with the role is" registry member add CO/GOV/3 --name "Tres bis" "${AS_ANA[@]}"
check "... and one without it is not" contains \
    "$(why registry member add CO/GOV/3 --name "Tres ter" --as "$C/blas.key")" "an operator with the role enrol"
check "the key of nobody is refused" contains "$("$BIN/chaski-registry" operator key "$C/otra.key" >/dev/null
    why registry member add CO/GOV/4 --name Cuatro --as "$C/otra.key")" "of no operator"
check "a key is one person" refused registry operator add eva --name Eva --key "$(cat "$C/ana.pub")" --role audit "${AS_BOTH[@]}"
check "a role that is none is refused" refused registry operator add eva --name Eva --key "$(cat "$C/otra.key")" --role todo "${AS_BOTH[@]}"
check "a third one is named by two" operator caro --role publish "${AS_BOTH[@]}"
check "two who may approve always remain" contains "$(why registry operator remove blas --reason Vacaciones "${AS_BOTH[@]}")" \
    "fewer than two"

printf 'member add CO/GOV/5 --name Cinco\nmember add CO/GOV/6 --name Seis\n' >"$C/batch"
check "a batch without approvals changes nothing" refused registry batch "$C/batch"
check "a batch is approved act by act" registry batch "$C/batch" "${AS_BOTH[@]}"
check "a line of a batch names no operators" refused bash -c "echo 'member add CO/GOV/7 --name S --as $C/ana.key' >'$C/b2' &&
    '$BIN/chaski-registry' batch '$C/store' '$C/b2'"

registry show --json >"$C/show"
check "show lists operators with their roles" equal "$(jq -r '.operators[] | "\(.id) \(.roles | join(","))"' "$C/show" | sort | tr '\n' ' ')" \
    "ana enrol,approve blas approve,revoke caro publish "
check "... and their keys" equal "$(jq -r '.operators[] | select(.id == "ana").key' "$C/show")" "$(cat "$C/ana.pub")"
check "publishing needs no approval" publish

# what the log itself says, with stock tools
bundle=$(ls -t "$C/directory"/tile/entries/000.p/* | head -n 1)
approvers=
for ((at = 0, size = $(stat -c %s "$bundle"); at < size; at += 2 + length)); do
    length=$((16#$(xxd -s "$at" -l 2 -p "$bundle")))
    tail -c +$((at + 3)) "$bundle" | head -c "$length" >"$C/entry"
    openssl cms -verify -noverify -inform DER -in "$C/entry" -certfile "$C/directory/authority.pem" -out "$C/act" 2>/dev/null
    protoc --decode=chaski.Act "$ROOT/proto/directory.proto" --proto_path="$ROOT/proto" <"$C/act" >"$C/act.txt"
    grep -q 'id: "CO/GOV/5"' "$C/act.txt" && approvers=$(sed -n 's/^ *operator: "\(.*\)"/\1/p' "$C/act.txt" | tr '\n' ' ')
done
check "the log says who stood behind an act" equal "$approvers" "ana blas "
finish
