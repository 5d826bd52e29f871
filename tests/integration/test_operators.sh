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

# ... and a command of our own: of a published folder, by the anchor, and of the store
for i in $(seq 300); do echo "member add CO/GOV/10$i --name Muchos$i"; done >"$C/many"
registry batch "$C/many" "${AS_BOTH[@]}" >/dev/null || die "no batch"
registry operator remove caro --reason Vacaciones "${AS_BOTH[@]}" >/dev/null || die "caro stays"
publish
"$BIN/chaski-registry" anchor "$C/store" --url http://127.0.0.1:1 --to "$C/chaski.anchor" >/dev/null || die "no anchor"
acts() { "$BIN/chaski-registry" acts "$C/directory" --anchor "$C/chaski.anchor" "$@"; }
by() { jq -r ".[] | select(.act | startswith(\"$1\")) | [.approved_by[].operator] | join(\" \")"; }
acts --json >"$C/acts.json"
check "the acts of a published folder are listed, each once" equal "$(jq -r 'map(.number) | length, .[0], .[-1]' "$C/acts.json" | tr '\n' ' ')" \
    "$(registry show --json | jq -r '.acts as $n | "\($n) 0 \($n - 1)"') "
check "... with who approved each" equal "$(by "member CO/GOV/5" <"$C/acts.json"),$(by "member CO/GOV/2" <"$C/acts.json"),$(by "member CO/GOV/10300" <"$C/acts.json"),$(by "member CO/GOV/1:" <"$C/acts.json")" \
    "ana blas,ana,ana blas,"
check "... and the words of each kind" equal "$(grep -c 'does not know' "$C/acts.json")" 0
check "the store says the same of itself" equal "$("$BIN/chaski-registry" acts "$C/store" --json | sha256sum)" "$(sha256sum <"$C/acts.json")"
check "what one key approved is listed alone" equal "$(acts --by blas --json | jq -c 'map(.number)')" \
    "$(jq -c 'map(select([.approved_by[].operator] | index("blas")) | .number)' "$C/acts.json")"
check "... for people, too" contains "$(acts --by ana)" "approved by ana, blas
         member CO/GOV/5: Cinco"
check "an operator who is gone and approved nothing is known" equal "$(acts --by caro | tail -n 1)" "0 shown"
check "a name that never was is not one that approved nothing" contains "$(why acts --by anna)" "neither an operator nor a server"
check "acts since a day are listed alone" equal "$(acts --since "$(date -u +%F)" --json | jq length) $(acts --since "$(date -u -d +2days +%F)" --json | jq length)" \
    "$(jq 'map(select(.time >= (now | strftime("%Y-%m-%d")))) | length' "$C/acts.json") 0"
check "... a day that is none is refused" contains "$(why acts --since 2026-02-31)" "not a day"
check "a folder without the country's anchor is not believed" contains "$(why "$BIN/chaski-registry" acts "$C/directory")" "--anchor"
"$BIN/chaski-registry" init "$C/other" --instance CO --name Otra >/dev/null
"$BIN/chaski-registry" anchor "$C/other" --url http://127.0.0.1:1 --to "$C/other.anchor" >/dev/null || die "no other anchor"
check "... nor with another one's" contains "$(why "$BIN/chaski-registry" acts "$C/directory" --anchor "$C/other.anchor")" "not signed by the anchor's log key"
bundle=$C/directory/tile/entries/000
flip "$bundle" 5000
check "a byte that changed is found" contains "$(why acts)" "entr"
check "... before anything is said" equal "$(acts 2>/dev/null)" ""
flip "$bundle" 5000
rm -r "$C/directory/tile/entries/000"
check "acts that are missing are told of" refused acts
finish
