#!/bin/bash
# SPDX-License-Identifier: MIT
# An operator whose key lives in a PKCS#11 token: it is made there, approves acts on the store and at a registry, and
# shows itself in TLS; without the token, or with a wrong PIN, nothing is done and the words say why. SoftHSM.
. "$(dirname "$0")/lib.sh"
MODULE=/usr/lib/softhsm/libsofthsm2.so
export SOFTHSM2_CONF=$C/softhsm.conf
mkdir "$C/tokens"
printf 'directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\n' "$C/tokens" >"$SOFTHSM2_CONF"
softhsm2-util --init-token --free --label Operadores --pin 123456 --so-pin 654321 >/dev/null || die "no token"
pin() { (umask 077; printf '%s\n' "$1" >"$C/pin.new" && mv "$C/pin.new" "$C/pin"); }
pin 123456
uri() { echo "pkcs11:token=Operadores;object=$1?pin-source=file:$C/pin"; }
refused() { ! "$@"; }
why() { "$@" 2>&1 >/dev/null; }
country_make >/dev/null

# --- made there -------------------------------------------------------------------------------------
check "a key is made in the token" eval '"$BIN/chaski-registry" operator key "$(uri ana)" --module $MODULE >"$C/ana.pub"'
check "... as the token says itself" contains "$(pkcs11-tool --module $MODULE --token-label Operadores --login --pin 123456 -O --type privkey 2>/dev/null)" \
    "always sensitive, never extractable, local"
check "... and is not made again" contains "$(why "$BIN/chaski-registry" operator key "$(uri ana)" --module $MODULE)" "already"
check "without the module it is said what is missing" contains "$(why "$BIN/chaski-registry" operator key "$(uri otra)")" "--module"
"$BIN/chaski-registry" operator key "$C/blas.key" >"$C/blas.pub" || die "no key"
for who in ana blas; do
    check "$who is named as an operator" registry operator add $who --name $who --key "$(cat "$C/$who.pub")" --role enrol --role approve
done
T=(--as "$(uri ana)" --module $MODULE)

# --- on the store -----------------------------------------------------------------------------------
check "an act carries the approvals of the token and of a file" registry member add CO/GOV/1 --name Uno "${T[@]}" --as "$C/blas.key"
check "the token alone is one person" contains "$(why registry member add CO/GOV/2 --name Dos "${T[@]}")" "two operators"
check "a batch is approved act by act" eval 'printf "member add CO/GOV/3 --name T\nmember add CO/GOV/4 --name C\n" >"$C/batch" && registry batch "$C/batch" "${T[@]}" --as "$C/blas.key"'
check "two tokens at once are too many" contains "$(why registry member add CO/GOV/5 --name S "${T[@]}" --as "$(uri otra)")" "at a time"

# --- at a registry ----------------------------------------------------------------------------------
"$BIN/chaski-registry" serve "$C/store" --listen 127.0.0.1:0 --directory "$C/directory" --authority \
    --admin 127.0.0.1:0 --ready-file "$C/ready" 2>>"$C/serve.events" &
pids+=($!)
wait_for 20 test -s "$C/ready" || die "it does not start: $(tail -n 1 "$C/serve.events")"
admin=https://$(sed -n 's/^admin=//p' "$C/ready")
"$BIN/chaski-registry" anchor "$C/store" --url "http://$(sed -n 's/^listen=//p' "$C/ready")" --to "$C/chaski.anchor" >/dev/null || die "no anchor"
ana() { "$BIN/chaski-registry" "$@" --at "$admin" --anchor "$C/chaski.anchor" "${T[@]}"; }
blas() { "$BIN/chaski-registry" "$@" --at "$admin" --anchor "$C/chaski.anchor" --as "$C/blas.key"; }
there() { "$BIN/chaski-registry" show "$C/store" --json | jq -e --arg id "$1" '.members[] | select(.id == $id)' >/dev/null; }
check "the token shows who it is in TLS" ana proposals
check "what it proposes waits" contains "$(ana member add CO/GOV/6 --name Seis --label seis)" "1 approval"
check "... until another one approves" contains "$(blas approve seis --yes)" "carried out"
check "... and then stands in the directory" there CO/GOV/6
blas member add CO/GOV/7 --name Siete --label siete >/dev/null || die "no proposal"
check "the token approves what another one proposed" contains "$(ana approve siete --yes)" "carried out"
check "a key of the token that is nobody's is turned away" contains \
    "$("$BIN/chaski-registry" operator key "$(uri nadie)" --module $MODULE >/dev/null; why "$BIN/chaski-registry" proposals --at "$admin" --anchor "$C/chaski.anchor" --as "$(uri nadie)" --module $MODULE)" "no operator"

# --- what is wrong ----------------------------------------------------------------------------------
mv "$C/tokens" "$C/away"
mkdir "$C/tokens"
check "without the token nothing is done" refused ana member add CO/GOV/8 --name Ocho
check "... and it is said" contains "$(why ana proposals)" "token"
rmdir "$C/tokens"
mv "$C/away" "$C/tokens"
pin 999999
check "a wrong PIN is said, and not shown" contains "$(why ana proposals)" "PIN"
check "... nor tried again by itself" refused contains "$(why ana proposals)" 999999
pin 123456
check "with the right one it goes on" contains "$(ana member add CO/GOV/9 --name Nueve --label nueve)" "1 approval"
check "a name that the token does not have is said" contains "$(why "$BIN/chaski-registry" proposals --at "$admin" --anchor "$C/chaski.anchor" --as "$(uri falta)" --module $MODULE)" "no public key of this name"
check "no PIN stands in any event" refused grep -q -e 123456 -e 999999 "$C/serve.events"
finish
