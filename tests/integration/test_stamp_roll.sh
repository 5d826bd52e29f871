#!/bin/bash
# SPDX-License-Identifier: MIT
# Cryptography ages: the time stamp authority changes its key, then another authority takes over. What the first
# one stamped stands under the newer stamps when its certificate has ended, is gone or is trusted no more; where
# nothing renewed it, that is told.
. "$(dirname "$0")/lib.sh"
PEER=$OUT/tests/front_peer
CHECKPOINT_MS=200
PUBLISH_MS=400
VERIFY=$ROOT/lib/evidence/record_verify.sh
country_make >/dev/null
# an authority outside of the country's, whose certificate for time stamps ends tomorrow
"$BIN/chaski-registry" init "$C/old" --instance CO --name "Autoridad anterior" >/dev/null || die "no old authority"
printf 'basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=critical,timeStamping\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n' >"$C/tsa.ext"
openssl req -new -key "$C/old/stamp/stamp.key" -subj "/C=CO/O=Autoridad anterior/serialNumber=CO\/AUTHORITY\/TSA/CN=tsa" -out "$C/tsa.csr" 2>/dev/null &&
    openssl x509 -req -in "$C/tsa.csr" -CA "$C/old/ca.pem" -CAkey "$C/old/keys/ca.key" -days 1 -extfile "$C/tsa.ext" \
        -out "$C/old/stamp/stamp.pem" 2>/dev/null || die "no short-lived certificate"
cat "$C/store/anchor/trust.pem" "$C/old/anchor/trust.pem" >"$C/trust.pem"
member_make a CO/MUN/890905211/SS1 "Medellín" TRAMITES >/dev/null
member_make b CO/GOV/899999027/SS1 "DANE" DIVIPOLA >/dev/null
sed -i "s#^trust_file.*#trust_file = \"$C/trust.pem\"#" "$C/a/server.conf" "$C/b/server.conf"
S=CO/GOV/899999027/DIVIPOLA/uno
registry service add $S --class open >/dev/null || die "no service"
serve_from() { # STORE PORT
    "$BIN/chaski-registry" serve "$1" --listen "127.0.0.1:$2" 2>>"$C/tsa.events" &
    tsa=$!
    pids+=($tsa)
    wait_for 5 curl -fsS -o /dev/null "http://127.0.0.1:$2/healthz"
}
old_port=$(free_port)
serve_from "$C/old" "$old_port" || die "no old TSA: $(tail -n 1 "$C/tsa.events")"
old=$tsa
registry stamp-authority url --url "http://127.0.0.1:$old_port/tsa" --name ANTERIOR --order 1 >/dev/null || die "no authority"
publish
for m in a b; do server_start $m || die "server $m: $(tail -n 1 "$C/$m/server.events")"; done
"$PEER" serve "ipc://$C/b/front" CO/GOV/899999027/DIVIPOLA 2>/dev/null &
pids+=($!)
wait_for 5 grep -q front.gateway_arrived "$C/b/server.events"
ask() { timeout 30 "$PEER" ask "ipc://$C/a/front" CO/MUN/890905211/TRAMITES $S "$1" 8 2>/dev/null; }
LOG=$C/a/audit/log/1
stamped() { # SIZE NAME
    [ "$(cut -d ' ' -f 1 "$LOG/stamped" 2>/dev/null || echo 0)" -ge "$1" ] && [ "$(cut -d ' ' -f 3 "$LOG/stamped")" = "$2" ]
}
size() { sed -n 2p "$LOG/promise"; }
signer() { openssl pkcs7 -inform DER -in "$LOG/cp/$1.tst" -print_certs 2>/dev/null | openssl x509 -noout -fingerprint -sha256; }
newest() { cut -d ' ' -f 1 "$LOG/stamped"; }
logged() { "$BIN/chaski-audit" show "$C/a/audit" --kind stamped --json 2>/dev/null | grep -c '"index"'; }

# --- the first authority ---
check "exchanges" contains "$(ask 10)" "OK                   10"
check "the first authority stamps" wait_for 20 stamped 21 ANTERIOR
first=$(newest)
tokens() { [ "$(logged)" -ge "$1" ]; }
check "its token is logged" wait_for 10 tokens 1
server_stop a
kill $old
rm -rf "$C/before"; cp -r "$C/a/audit" "$C/before"
first_signer=$(signer "$first")
server_start a || die "server a: $(tail -n 1 "$C/a/server.events")"

# --- another authority takes over ---
registry stamp-authority remove ANTERIOR --reason "termina" >/dev/null || die "not removed"
port=$(free_port)
serve_from "$C/store" "$port" || die "no TSA: $(tail -n 1 "$C/tsa.events")"
registry stamp-authority url --url "http://127.0.0.1:$port/tsa" --name NACIONAL --order 1 >/dev/null || die "no authority"
publish
wait_for 10 grep -q NACIONAL "$C/a/audit/anchor/confirmers"
check "exchanges" contains "$(ask 10)" "OK                   10"
check "the second authority stamps" wait_for 20 stamped $(($(size) + 0)) NACIONAL
second=$(newest)
second_signer=$(signer "$second")
check "... which is logged too" wait_for 10 tokens 2

# --- and changes its key ---
kill $tsa
wait $tsa 2>/dev/null
mv "$C/store/stamp" "$C/retired"
check "the authority makes a new key for time stamps" registry stamp-authority add
serve_from "$C/store" "$port" || die "no TSA: $(tail -n 1 "$C/tsa.events")"
check "exchanges" contains "$(ask 10)" "OK                   10"
check "the new key stamps" wait_for 20 stamped $((second + 20)) NACIONAL
third=$(newest)
check "three keys have stamped this log" equal "$(printf '%s\n' "$first_signer" "$second_signer" "$(signer "$third")" | sort -u | grep -c Fingerprint)" 3
check "... and is logged" wait_for 10 tokens 3
for m in a b; do server_stop $m; done
third=$(newest) # one more may have come since
index=$("$BIN/chaski-audit" show "$C/a/audit" --kind stamped --json | grep -o '"index" *: *[0-9]*' | grep -o '[0-9]*$' | sort -n | head -n 1)
check "the first logged token is covered by the newest" test "$index" -lt "$third"
"$BIN/chaski-audit" export "$C/a/audit" "$index" --to "$C/logged" --store-key "$C/a/keys/store.key" >/dev/null 2>&1
is_of_the_first() { # one of the tokens that the first authority gave
    local token said
    said=$(xxd -p -c 0 "$C/logged/payload.bin")
    for token in "$LOG"/cp/*.tst; do
        [ "$(signer "$(basename "$token" .tst)")" = "$first_signer" ] || continue
        case $said in *"$(xxd -p -c 0 "$token")"*) return 0 ;; esac
    done
    return 1
}
check "... and is one that the first authority gave" is_of_the_first

# --- an old record, with all authorities trusted ---
audit() { "$BIN/chaski-audit" verify "$@" --store-key "$C/a/keys/store.key" >"$C/said" 2>&1; echo $?; }
check "the log is clean" equal "$(audit "$C/a/audit" --trust "$C/trust.pem")" 0
"$BIN/chaski-audit" export "$C/a/audit" 5 --to "$C/record" --store-key "$C/a/keys/store.key" >/dev/null 2>&1
check "an old record is exported with its own stamp" cmp "$C/record/checkpoint.tst" "$LOG/cp/$first.tst"
check "... and with the newest" cmp "$C/record/later/checkpoint.tst" "$LOG/cp/$third.tst"
cp -r "$C/record" "$C/bare"; rm -rf "$C/bare/later"
run() { bash "$VERIFY" "$@" >"$C/said" 2>&1; tail -n 1 "$C/said"; }
check "it passes" contains "$(run "$C/record" --trust "$C/trust.pem")" PASS
check "... by both stamps" equal "$(grep -cE '^timestamp(-later)? +ok' "$C/said")" 2

# --- the first authority is gone: its certificate is in nobody's trust any more ---
NEW=$C/store/anchor/trust.pem
check "without the first authority it passes" contains "$(run "$C/record" --trust "$NEW")" PASS
check "... by the newer stamp" grep -qE '^timestamp-later +ok' "$C/said"
check "... and says that the older one counts for nothing" grep -qE '^timestamp +-- +of an authority that is not among' "$C/said"
check "without the newer stamp it fails" contains "$(run "$C/bare" --trust "$NEW")" "FAIL timestamp"
check "the auditor says so of the whole log: no finding" equal "$(audit "$C/a/audit" --trust "$NEW")" 0
check "... a remark" grep -q "covers what they stood for\|count.* for nothing" "$C/said"
check "the log as it was before the newer stamps: a finding" equal "$(audit "$C/before" --trust "$NEW")" 1
check "... by its rule" contains "$(grep FINDING "$C/said")" "[time stamp]"
cp -r "$C/record" "$C/forged"
flip "$C/forged/checkpoint.tst" $(($(stat -c %s "$C/forged/checkpoint.tst") - 20))
check "an older token that is not whole fails all the same" contains "$(run "$C/forged" --trust "$NEW")" "FAIL timestamp"
cp "$C/record/later/checkpoint.tst" "$C/forged/checkpoint.tst"
check "... and so does one of other bytes" contains "$(run "$C/forged" --trust "$NEW")" "FAIL timestamp"
cp "$C/record/checkpoint.tst" "$C/forged/checkpoint.tst"
flip "$C/forged/later/checkpoint.tst" $(($(stat -c %s "$C/forged/later/checkpoint.tst") - 20))
check "... and the older one does not stand under a newer one that is none" contains "$(run "$C/forged" --trust "$NEW")" "FAIL timestamp timestamp-later"

# --- its certificate has ended: three days from now ---
if [[ $OUT != *san ]] && gcc -shared -fPIC -O1 -o "$C/shift.so" "$ROOT/tests/tools/shift.c"; then
    in_three_days() { SHIFT_S=259200 LD_PRELOAD=$C/shift.so "$@"; }
    check "when the certificate has ended it passes" contains "$(in_three_days bash "$VERIFY" "$C/record" --trust "$C/trust.pem" >"$C/said" 2>&1; tail -n 1 "$C/said")" PASS
    check "... and says that a newer stamp covers it" grep -qE '^timestamp +ok .*has ended since, and a newer stamp covers it' "$C/said"
    check "... so that nothing is missing" sh -c "! grep -q '^renewal' '$C/said'"
    check "where nothing newer covers it, it passes by the token's own time" contains "$(in_three_days bash "$VERIFY" "$C/bare" --trust "$C/trust.pem" >"$C/said" 2>&1; tail -n 1 "$C/said")" PASS
    check "... and it is told that nothing renewed it" grep -qE '^renewal +-- +no newer stamp' "$C/said"
    later_audit() { in_three_days "$BIN/chaski-audit" verify "$1" --trust "$C/trust.pem" --store-key "$C/a/keys/store.key" >"$C/said" 2>&1; }
    later_audit "$C/before"
    check "the auditor is told of a log that nothing renewed" grep -q "certificate under the newest time stamp .* has ended" "$C/said"
    later_audit "$C/a/audit"
    check "... and not of one that was" sh -c "! grep -q 'has ended' '$C/said'"
fi
finish
