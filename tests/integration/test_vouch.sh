#!/bin/bash
# SPDX-License-Identifier: MIT
# A member's further server, with real processes: one of its servers stands behind the request, two operators
# read who does, and nothing is carried out on the word of a key that has been revoked since. Words of strangers,
# of another request and of another context count for nothing, and say why.
. "$(dirname "$0")/lib.sh"
country_make >/dev/null
A=CO/MUN/890905211
B=CO/GOV/899999027
member_make one $A/SS1 Alcaldía TRAMITES >/dev/null
member_make dane $B/SS1 DANE DIVIPOLA >/dev/null

# a second server of the first member, with sealed keys, whose signing key is in a token
export SOFTHSM2_CONF=$C/softhsm.conf
mkdir -p "$C/tokens"
printf 'directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\n' "$C/tokens" >"$SOFTHSM2_CONF"
softhsm2-util --init-token --free --label Sello --pin 123456 --so-pin 654321 >/dev/null || die "no token"
(umask 077 && printf 123456 >"$C/pin" && printf 'una frase bastante larga' >"$C/phrase")
token="pkcs11:token=Sello;object=firma?pin-source=file:$C/pin"
module=/usr/lib/softhsm/libsofthsm2.so
"$BIN/chaski" keys make --folder "$C/two/keys" --server $A/SS2 --name Alcaldía --address tcp://127.0.0.1:5502 --request "$C/two.json" \
    --token "$token" --module $module --passphrase "file:$C/phrase" >/dev/null || die "no keys in the token"
registry server add "$C/two.json" --certificate-to "$C/two.crt" >/dev/null || die "no second server"

for who in ana blas; do
    "$BIN/chaski-registry" operator key "$C/$who.key" >"$C/$who.pub" || die "no key"
    registry operator add "$who" --name "$who" --key "$(cat "$C/$who.pub")" --role enrol --role approve --role revoke >/dev/null || die "no operator"
done
listen=127.0.0.1:0
serve() {
    rm -f "$C/ready"
    "$BIN/chaski-registry" serve "$C/store" --listen $listen --directory "$C/directory" --authority --admin 127.0.0.1:0 \
        --ready-file "$C/ready" 2>>"$C/serve.events" &
    pid=$!
    pids+=($pid)
    wait_for 20 test -s "$C/ready" || die "it does not start: $(tail -n 1 "$C/serve.events")"
    listen=$(sed -n 's/^listen=//p' "$C/ready")
    url=http://$listen
    admin=https://$(sed -n 's/^admin=//p' "$C/ready")
    authority_pid=$(sed -n 's/^authority_pid=//p' "$C/ready")
}
gone() { ! kill -0 "$1" 2>/dev/null; }
serve
"$BIN/chaski-registry" anchor "$C/store" --url "$url" --to "$C/chaski.anchor" >/dev/null || die "no anchor"
words=$("$BIN/chaski" anchor "$C/chaski.anchor" | sed -n 's/^fingerprint  //p')
at() { "$BIN/chaski-registry" "${@:2}" --at "$admin" --anchor "$C/chaski.anchor" --as "$C/$1.key"; }
refused() { ! "$@"; }

# enrol NAME SERVER OPTION...: what is said in $C/said, the request's id in $id
enrol() {
    local status=0
    timeout 60 "$BIN/chaski" enrol --anchor "$C/chaski.anchor" --folder "$C/$1/keys" --server "$2" --name Alcaldía --public \
        --address "tcp://127.0.0.1:$(free_port)" --fingerprint "$words" "${@:3}" >"$C/said" 2>&1 </dev/null || status=$?
    id=$(sed -n 's/^request //p' "$C/said")
    return $status
}
said() { grep -c -- "$1" "$C/said"; }
status_of() { local status=0; "$@" || status=$?; echo $status; }
# vouch NAME SERVER ID OPTION...: by the server whose keys are in $C/NAME
vouch() {
    timeout 60 "$BIN/chaski" enrol vouch "$3" --folder "$C/$1/keys" --anchor "$C/chaski.anchor" --server "$2" "${@:4}" >"$C/said" 2>&1 </dev/null
}
# voucher SERVER KEY ID [CONTEXT]: as docs/decisions/0032 says, by stock openssl; the request's body
voucher() {
    local digest r s order=FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551 i der
    digest=$( (printf '%s\0CO\0%s\0' "${4:-chaski voucher v1}" "$1"; printf %s "$3" | xxd -r -p) | sha256sum | cut -c 1-64)
    printf %s "$digest" | xxd -r -p >"$C/digest"
    for ((i = 0; i < 40; i++)); do # until it is of low S
        openssl pkeyutl -sign -inkey "$2" -in "$C/digest" -out "$C/signature"
        read -r r s < <(openssl asn1parse -inform DER -in "$C/signature" | sed -n 's/.*INTEGER *://p' | tr '\n' ' ')
        [ ${#s} -lt 64 ] || [[ $s < 7FFFFFFF80000000 ]] && break
    done
    jq -n --arg server "$1" --arg signature "$(base64 -w 0 <"$C/signature")" '{server: $server, signature: $signature}'
}
post() { # ID: the body on stdin; says the status and why
    curl -sS -o "$C/body" -w '%{http_code} ' -H 'Content-Type: application/json' --data-binary @- "$url/enrol/v1/requests/$1/vouchers"
    jq -r '.detail // empty' "$C/body"
}
state_of() { curl -sS "$url/enrol/v1/requests/$1" | jq -r .state; }

# --- nobody vouches ---------------------------------------------------------------------------------
check "a further server of a member asks, and is told who must vouch" equal \
    "$(status_of enrol three $A/SS3 --subsystem TRAMITES=Trámites) $(said 'none of them vouches for this request yet')" "3 1"
three=$(sed -n 's/^request //p' "$C/said")
check "... by which command" equal "$(said "chaski enrol vouch $three --config")" 1
check "operators are warned" contains "$(at ana requests)" "LOOK: this member has servers, and none of them vouches"
check "... and cannot prepare it" contains "$(at ana request prepare "${three:0:8}" 2>&1)" "chaski enrol vouch $three"
check "... by which nothing was proposed" equal "$(at ana proposals --json | jq length)" 0
check "the first server of a member needs nobody" equal "$(status_of enrol first CO/MUN/1/SS1) $(said vouches)" "3 0"
id=$(sed -n 's/^request //p' "$C/said")
check "... and may not be said to be alone" contains "$(at ana request prepare "$id" --without-voucher x 2>&1)" "wants no voucher"
check "... for it is prepared as it is" contains "$(at ana request prepare "$id")" "acts wait"
at ana request refuse "$id" --reason "Prueba" >/dev/null

# --- who counts for nothing -------------------------------------------------------------------------
enrol four $A/SS4
four=$id
check "a server of another member signs nothing for it" equal "$(status_of vouch dane $B/SS1 "$three" --yes) $(said 'vouches for its own member alone')" "1 1"
check "... nor does the registry take its word" contains "$(voucher $B/SS1 "$C/dane/keys/sign.key" "$three" | post "$three")" "is not a server of the member"
check "... nor in the name of the member's own" contains "$(voucher $A/SS1 "$C/dane/keys/sign.key" "$three" | post "$three")" "not signed over this request"
check "the word for one request is not one for another" contains "$(voucher $A/SS1 "$C/one/keys/sign.key" "$four" | post "$three")" "not signed over this request"
check "what was signed in another context is none" contains \
    "$(voucher $A/SS1 "$C/one/keys/sign.key" "$three" "chaski act approval v1" | post "$three")" "not signed over this request"
check "a server that is none is named" contains "$(voucher $A/SS9 "$C/one/keys/sign.key" "$three" | post "$three")" "$A/SS9 does not stand in the directory"
check "a body with another field is refused" contains "$(voucher $A/SS1 "$C/one/keys/sign.key" "$three" | jq '. + {x: 1}' | post "$three")" "400"
check "a request that is not there is said" contains "$(voucher $A/SS1 "$C/one/keys/sign.key" "$three" | post "${three:0:60}0000")" "404"
check "nobody's word was kept" equal "$(at ana request show "$three" | jq '.vouchers | length')" 0
check "an ID that is none is refused" equal "$(status_of vouch one $A/SS1 "${three:0:63}" --yes)" 2
check "where nobody can be asked nothing is signed" equal "$(status_of vouch one $A/SS1 "$three") $(said 'yes is needed')" "2 1"

# --- a server of its own ----------------------------------------------------------------------------
check "a server of the member shows what it vouches for, and does" equal \
    "$(status_of vouch one $A/SS1 "$three" --yes) $(said "$A/SS3, a further server of $A") $(said 'transport key') $(said "$A/SS1 vouches for it")" "0 1 1 1"
transport=$(at ana request show "$three" | jq -r .request.transport_key | xxd -r -p | sha256sum | cut -c 1-16)
check "... with the fingerprints that operators see" equal "$(said "transport key  *$transport")" 1
kill -9 $pid
wait $pid 2>/dev/null
wait_for 5 gone "$authority_pid"
serve
check "it is there after a kill" contains "$(at ana requests | grep -A 3 "$three")" "vouched for by $A/SS1"
check "... and nothing is left to be warned of" equal "$(at ana request show "$three" | jq -r .warning)" ""
check "by stock openssl it is the same word" contains "$(voucher $A/SS1 "$C/one/keys/sign.key" "$three" | post "$three")" "200"
check "... and counts once" equal "$(at ana request show "$three" | jq '.vouchers | length')" 1
check "the new server's machine is told" equal "$(status_of enrol three $A/SS3) $(said "vouched for by $A/SS1") $(said 'none of them')" "3 1 0"
cat >"$C/two/server.conf" <<E
server = "$A/SS2"
keys_folder = "$C/two/keys"
keys_passphrase = "file:$C/phrase"
sign_key = "$token"
token_module = "$module"
audit_folder = "$C/two/audit"
anchor_file = "$C/chaski.anchor"
front = "ipc://$C/two/front"
mesh_listen = {"tcp://127.0.0.1:5502"}
E
check "sealed keys and one in a token vouch, too, by the server's settings" equal \
    "$(timeout 60 "$BIN/chaski" enrol vouch "$four" --config "$C/two/server.conf" --yes >"$C/said" 2>&1 </dev/null; echo $?) $(said "$A/SS2 vouches")" "0 1"
check "all of it is as the interface's document says" jq -e --slurpfile doc "$ROOT/docs/registry-openapi.json" '$doc[0].components.schemas as $s |
    all(.[]; (keys - ($s.Request.properties | keys)) == [] and ($s.Request.required - keys) == [] and
        all(.vouchers[]; (keys - ($s.Voucher.properties | keys)) == [] and ($s.Voucher.required - keys) == [])) and
    ([.[].vouchers[]] | length) == 2' <(at ana requests --json)
check "who vouches for it need not be said to be missing" contains "$(at ana request prepare "$four" --without-voucher x 2>&1)" "leave --without-voucher away"

# --- two at once --------------------------------------------------------------------------------------
servers() { "$BIN/chaski-registry" show "$C/store" 2>/dev/null | grep -c "$A/DOS .* on .*$1"; }
status_of enrol five $A/SS5 --subsystem DOS=Dos >/dev/null
five=$(sed -n 's/^request //p' "$C/said")
status_of enrol six $A/SS6 --subsystem DOS=Dos >/dev/null
six=$(sed -n 's/^request //p' "$C/said")
for id in "$five" "$six"; do
    vouch one $A/SS1 "$id" --yes || die "no voucher"
    at ana request prepare "$id" >/dev/null || die "not prepared"
done
for id in "$five" "$six"; do at ana approve "$id" --yes >/dev/null; at blas approve "$id" --yes >"$C/approved"; done
check "what was prepared before another change takes nothing back" contains "$(cat "$C/approved")" "it would take that back"
check "... the first of two servers stays with the subsystem" equal "$(servers $A/SS5) $(servers $A/SS6)" "1 0"
check "... and the second one waits" equal "$(state_of "$six")" prepared
at ana request prepare "$six" >/dev/null
at ana approve "$six" --yes >"$C/approved"; at blas approve "$six" --yes >>"$C/approved" 2>&1
check "... whose server is as it was" contains "$(cat "$C/approved")" "$A/SS6 (nothing changes)"
check "... until it is prepared anew" equal "$(servers $A/SS5) $(servers $A/SS6) $(state_of "$six")" "1 1 approved"

# --- approved ---------------------------------------------------------------------------------------
at ana request prepare "$four" >/dev/null || die "not prepared"
at ana approve "$four" --yes >/dev/null
said=$(at blas approve "$four" --yes)
check "who approves reads who vouches" contains "$said" "vouched for by $A/SS2"
check "... and two approvals admit it" equal "$(state_of "$four")" approved
check "what is decided takes no further word" contains "$(voucher $A/SS1 "$C/one/keys/sign.key" "$four" | post "$four")" "was approved"

# --- the key that vouched is revoked ------------------------------------------------------------------
at ana request prepare "${three:0:8}" >/dev/null || die "not prepared"
at ana approve "$three" --yes >/dev/null
at ana certificate revoke --server $A/SS1 --reason Robada >/dev/null || die "not revoked"
said=$(at blas approve "$three" --yes)
check "who approves reads that the word counts for nothing any more" contains "$said" "LOOK: $A/SS1 vouched for it, which counts for nothing now: the key with which $A/SS1 vouched was revoked"
check "... and what was approved is not carried out" contains "$said" "no server of its member stands behind the request any more"
check "... which the agency sees" equal "$(state_of "$three")" prepared
check "a revoked key vouches for nothing new" contains "$(voucher $A/SS1 "$C/one/keys/sign.key" "$three" | post "$three")" "was revoked"
server_there() { "$BIN/chaski-registry" show "$C/store" --json | jq -e --arg id "$1" '.servers[] | select(.id == $id)' >/dev/null; }
check "... no server came of it" refused server_there $A/SS3
check "another server's word, and what had its approvals is carried out" equal \
    "$(status_of vouch two $A/SS2 "$three" --passphrase "file:$C/phrase" --token "$token" --module $module --yes) $(state_of "$three") $(server_there $A/SS3 && echo there)" "0 approved there"

# --- other keys, and a member that can vouch no more --------------------------------------------------
enrol again $A/SS1
again=$id
check "other keys for a registered server want a word, too" contains "$(at ana request prepare "$again" 2>&1)" "none of them vouches"
check "... of which operators are warned twice" contains "$(at ana requests)" \
    "LOOK: this server is registered, with other keys: approving replaces them; no server of this member vouches for that"
vouch two $A/SS2 "$again" --passphrase "file:$C/phrase" --token "$token" --module $module --yes
at ana request prepare "$again" >/dev/null || die "not prepared"
at ana approve "$again" --yes >/dev/null
at ana certificate revoke --server $A/SS2 --reason Robada >/dev/null || die "not revoked"
at ana certificate revoke --server $A/SS4 --reason Robada >/dev/null || die "not revoked"
check "an operator says why nobody can vouch, in words that are read" contains \
    "$(at ana request prepare "$again" --without-voucher $'Perdi\u202eo' 2>&1)" "plain text"
said=$(at ana request prepare "$again" --without-voucher "La alcaldía perdió sus llaves; oficio 12")
check "... and it is prepared anew" contains "$said" "LOOK: nobody vouches for it; ana says why: La alcaldía perdió sus llaves; oficio 12"
check "... for what was approved had another ground" equal \
    "$(at ana proposals --json | jq -r "[.[] | select(.label == \"$again\" and .act[0:6] == \"server\")] | map(.state) | join(\" \")")" "refused waiting"
at ana approve "$again" --yes >/dev/null
said=$(at blas approve "$again" --yes)
check "who approves reads that, too" contains "$said" "LOOK: no server of this member vouches for it. ana says why: La alcaldía perdió sus llaves; oficio 12"
check "... and it is enrolled" equal "$(state_of "$again")" approved
finish
