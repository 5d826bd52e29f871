#!/bin/bash
# SPDX-License-Identifier: MIT
# Certificates of an outside authority, which stock openssl runs: a server is registered with one, exchanges and
# verifies; its authority's OCSP and CRL are asked, kept and believed as far as they deserve it; what it revokes
# every node refuses.
. "$(dirname "$0")/lib.sh"
PEER=$OUT/tests/front_peer
OUTSIDE=$ROOT/tests/tools/outside_ca.sh
CA=$C/outside
CHECKPOINT_MS=200
PUBLISH_MS=300
country_make >/dev/null
outside() { "$OUTSIDE" "$CA" "$@"; }
outside make || die "no outside authority"
refused() { ! "$@"; }

# --- who answers for it --------------------------------------------------------------------------
ocsp_port=$(free_port)
ocsp_pid=
responder() { # starts it (again): it reads at its start what there is to say
    [ -z "$ocsp_pid" ] || { kill "$ocsp_pid"; wait "$ocsp_pid"; }
    "$OUTSIDE" "$CA" serve "$ocsp_port" >"$C/ocsp.log" 2>&1 &
    ocsp_pid=$!
    pids+=("$ocsp_pid")
    wait_for 5 grep -q "waiting for OCSP" "$C/ocsp.log" || die "no responder: $(cat "$C/ocsp.log")"
}
# lists over plain HTTP, and a responder that says whatever stands in a file
web_port=$(free_port)
mkdir -p "$C/web/tmp"
chmod 755 "$C" "$C/web"
cat >"$C/nginx.conf" <<E
daemon off; master_process off; pid $C/web.pid; error_log $C/web.error;
events {}
http {
  access_log $C/web.access; client_body_temp_path $C/web/tmp; proxy_temp_path $C/web/tmp; fastcgi_temp_path $C/web/tmp;
  uwsgi_temp_path $C/web/tmp; scgi_temp_path $C/web/tmp;
  server { listen 127.0.0.1:$web_port; root $C/web; error_page 405 =200 \$uri; }
}
E
nginx -c "$C/nginx.conf" -p "$C" 2>"$C/web.start" &
pids+=($!)
outside crl ../web/ca.crl
wait_for 5 curl -fsS -o /dev/null "http://127.0.0.1:$web_port/ca.crl" || die "no web server: $(cat "$C/web.start")"
OCSP=http://127.0.0.1:$ocsp_port
SAYS=http://127.0.0.1:$web_port/says # POSTs get the file C/web/says
CRL=http://127.0.0.1:$web_port/ca.crl
authority() { registry certificate-authority add EXTERNA --certificate "$CA/chain.pem" "$@"; }
statuses() { "$BIN/chaski-registry" statuses "$C/store" "$@" >"$C/said" 2>"$C/statuses.events"; }
said() { contains "$(cat "$C/said")" "$1"; }
event() { contains "$(cat "$C/statuses.events")" "$1"; }

# --- enrolment -----------------------------------------------------------------------------------
request_of() { # NAME: its request as PKCS#10, for the outside authority
    sed -n 's/.*"certificate_request": *"\([^"]*\)".*/\1/p' "$C/$1/request.json" | base64 -d >"$C/$1/request.der"
    openssl req -inform DER -in "$C/$1/request.der" -out "$C/$1/request.csr"
}
certify() { # NAME PROFILE: by the outside authority, which knows nothing of members and servers
    request_of "$1"
    SUBJECT="/C=CO/O=Entidad $1/OU=Sistemas/CN=Sello de $1" outside issue "$C/$1/request.csr" "$C/$1/outside.pem" "$2"
}
agency() { # NAME SERVER SUBSYSTEM PROFILE: a member with a certificate of the outside authority, which is not registered yet
    member_make "$1" "$2" "Entidad $1" "$3" >/dev/null
    "$BIN/chaski-registry" subsystem remove "$C/store" "${2%/*}/$3" >/dev/null || die "no way back"
    "$BIN/chaski-registry" server remove "$C/store" "$2" >/dev/null || die "no way back"
    rm -r "$C/$1/keys"
    "$BIN/chaski" keys make --folder "$C/$1/keys" --server "$2" --name "Entidad $1" \
        --address "tcp://$HOST:${MESH_PORT[$1]}" --request "$C/$1/request.json" >/dev/null || die "no keys for $1"
    certify "$1" "$4"
}
enrol() { registry server add "$C/$1/request.json" --certificate "$C/$1/outside.pem" --certificate-to "$C/$1/issued.crt"; }
take_in() { "$BIN/chaski" keys certificate --folder "$C/$1/keys" --certificate "$2"; }
B=CO/GOV/899999027
member_make a CO/MUN/890905211/SS1 "Medellín" TRAMITES >/dev/null
agency b $B/SS1 DIVIPOLA sign
check "a certificate of an authority that nobody knows is refused" refused enrol b
check "... saying what comes first" contains "$(enrol b 2>&1)" "certificate-authority add"
check "an authority without its root is refused" refused \
    registry certificate-authority add EXTERNA --certificate "$CA/ca.pem" --ocsp "$OCSP"
check "an authority that nobody can be asked about is refused" refused authority
check "an authority is added by an act" authority --ocsp "$OCSP" --crl "$CRL"
cp "$C/b/outside.pem" "$C/b/good.pem"
certify b server
check "a certificate for web servers is refused" refused enrol b
check "... saying what is missing" contains "$(enrol b 2>&1)" "for documents"
outside key other /CN=otra
outside issue other.csr "$C/b/outside.pem"
check "a certificate of another key is refused" refused enrol b
cp "$C/b/good.pem" "$C/b/outside.pem"
check "a server enters with a certificate of the outside authority" enrol b
cat "$C/b/outside.pem" "$CA/chain.pem" >"$C/b/chained.pem"
check "... which the agency takes in with its chain" take_in b "$C/b/chained.pem"
registry subsystem add $B/DIVIPOLA --name "DANE" --server $B/SS1 >/dev/null || die "no subsystem"
agency c CO/GOV/800197268/SS1 RUT sign
agency d CO/GOV/899999040/SS1 IDENTIDAD short
for name in c d; do
    enrol $name >/dev/null || die "no server $name"
    take_in $name "$C/$name/outside.pem" >/dev/null || die "no certificate for $name"
done
S=$B/DIVIPOLA/uno
registry service add $S --class open >/dev/null || die "no service"
check "nothing is known of its certificates before anybody asked" contains "$(registry show)" "has never said how it stands"

# --- asking --------------------------------------------------------------------------------------
publish
responder
check "the responder is asked" statuses --to "$C/directory"
check "... and says good for all three" said "3 asked for, 3 good"
PRINT=$(openssl x509 -in "$C/b/outside.pem" -outform DER | sha256sum | cut -c 1-64)
answer=$(ls "$C/directory/status/$PRINT/"*.ocsp)
check "the answer is kept" test -s "$C/store/statuses/$PRINT/$(basename "$answer")"
check "... and published, with an index" grep -q "^$PRINT/$(basename "$answer")$" "$C/directory/status/index"
check "stock openssl believes what was kept" contains "$(openssl ocsp -respin "$answer" -issuer "$CA/ca.pem" \
    -cert "$C/b/outside.pem" -CAfile "$CA/ca.pem" -partial_chain 2>&1)" "good"
check "nobody has to see to what is good" refused contains "$(registry show | sed -n '/TO SEE TO/,$p')" "$B/SS1"
check "... but to what ends soon" contains "$(registry show)" "ends in 19 days"
check "show --json has it too" contains "$(registry show --json)" '"verdict": "good"'
check "no private key stands in the published folder" refused grep -rq "PRIVATE KEY" "$C/directory"

# --- an exchange ---------------------------------------------------------------------------------
server_start a || die "server a: $(tail -n 1 "$C/a/server.events")"
server_start b || die "server b: $(tail -n 1 "$C/b/server.events")"
server_start d || die "server d: $(tail -n 1 "$C/d/server.events")"
"$PEER" serve "ipc://$C/b/front" $B/DIVIPOLA 2>/dev/null &
pids+=($!)
wait_for 5 grep -q front.gateway_arrived "$C/b/server.events" || die "no stand-in gateway"
ask() { timeout 20 "$PEER" ask "ipc://$C/a/front" CO/MUN/890905211/TRAMITES $S 1 1 2>/dev/null | awk 'NR == 2 { print $1 }'; }
check "an exchange with it works" equal "$(ask)" OK
check "who has a certificate that ends soon is told" wait_for 5 grep -q '"certificate.ends_soon"' "$C/d/server.events"
check "... with what to do" contains "$(grep certificate.ends_soon "$C/d/server.events")" "chaski keys make"
check "... and who has another one is not" refused grep -q '"certificate\.' "$C/b/server.events"
check "nodes take the answers over" wait_for 10 test -s "$C/a/audit/directory/status/$PRINT/$(basename "$answer")"
server_stop d

# --- evidence ------------------------------------------------------------------------------------
covered() { [ -s "$C/a/audit/log/1/checkpoint" ] && [ "$(sed -n 2p "$C/a/audit/log/1/checkpoint")" -ge 3 ]; }
wait_for 20 covered || die "no checkpoint"
cp -r "$C/a/audit" "$C/log"
index=$("$BIN/chaski-audit" show "$C/log" | awk '/response/ { print $1; exit }')
check "an auditor verifies the log" "$BIN/chaski-audit" verify "$C/log"
check "the answer's record is exported" "$BIN/chaski-audit" export "$C/log" "$index" --to "$C/record"
words=$(bash "$C/record/verify.sh" "$C/record" --trust "$C/store/anchor/trust.pem" --directory-vkey "$C/store/anchor/directory.vkey")
check "... and proves itself by what the authority of the country has made known" contains "$(tail -n 1 <<<"$words")" PASS
check "... naming the outside authority" contains "$words" "of the outside authority EXTERNA"
check "... and what that one said" contains "$words" "the authority itself: good at"
check "stock openssl verifies the signature up to the outside root" openssl cms -verify -cades -binary -inform DER \
    -in "$C/record/leaf.p7m" -certfile "$C/record/signer.pem" -CAfile "$C/record/chain.pem" -purpose any -out /dev/null
changed() { rm -rf "$C/bad"; cp -r "$C/record" "$C/bad"; }
fails() { # WORD: does verify.sh find it in the changed folder?
    local words
    words=$(bash "$C/record/verify.sh" "$C/bad" | tail -n 1)
    contains "$words" "FAIL" && contains "$words" "$1"
}
changed
grep -l EXTERNA "$C"/bad/directory/*.p7m | while read -r file; do rm "$file"; done
check "without the act that trusts the authority it fails" fails registration
changed
cp "$CA/stranger.pem" "$C/bad/issuer.pem"
check "with another authority of the same name it fails" fails signature
changed
flip "$(ls "$C"/bad/status/*.ocsp)" 200
check "with an answer that was changed it fails" fails status
changed
mv "$(ls "$C"/bad/status/*.ocsp)" "$C/bad/status/1700000000.ocsp"
check "with an answer under another time it fails" fails status

# --- a responder that is not to be believed ------------------------------------------------------
authority --ocsp "$SAYS" >/dev/null || die "no other address"
openssl ocsp -issuer "$CA/ca.pem" -cert "$C/b/outside.pem" -reqout "$CA/request.der" -no_nonce 2>/dev/null
says() { outside answer request.der ../web/says "$@"; } # of the certificate of b, by SIGNER, with further options
head -c 500 /dev/urandom >"$C/web/says"
check "garbage from the responder is no answer" statuses
check "... and is told of, with the age of the last good one" event '"last_good_s":'
check "... naming the certificate" event "$PRINT"
check "... and counted" said "3 without an answer"
head -c 40000 /dev/zero >"$C/web/says"
check "neither is one that is too large" statuses
check "... as the event says" event "more than 32768 bytes"
says stranger -ndays 1
check "nor one that is signed by somebody else" statuses
check "... as the event says" event CERTIFICATE_BAD
says ocsp -nmin 1
sleep 61 &
old=$!
mv "$CA/index.txt" "$CA/index.kept"
: >"$CA/index.txt"
cp "$C/web/says" "$C/web/old"
says ocsp
mv "$CA/index.kept" "$CA/index.txt"
check "an answer that knows nothing of it" statuses
check "... is told of" event '"status.unknown"'
check "... and stands where people look" contains "$(registry show)" "its authority says: unknown"
wait $old
cp "$C/web/old" "$C/web/says"
check "an answer that is over is no answer" statuses
check "... as the event says" event STALE
check "nothing of this became an act" refused contains "$(registry show)" "REVOKED"
authority --ocsp "http://127.0.0.1:$(free_port)/nobody" --crl "$CRL" >/dev/null || die "no other address"
check "with a responder that is away the list is asked" statuses --to "$C/directory"
check "... and says good" said "3 good"
ISSUER=$(openssl x509 -in "$CA/ca.pem" -outform DER | sha256sum | cut -c 1-64)
check "a list is kept once for its authority" equal "$(find "$C/directory/status/$ISSUER" -type f | wc -l)" 1
authority --ocsp "http://127.0.0.1:$(free_port)/nobody" >/dev/null || die "no other address"
check "with nobody to be asked the round ends" statuses
check "... and is told of" event '"status.unanswered"'
check "... with what was wrong" event "PEER_UNREACHABLE"
check "... which stands in the store" contains "$(registry show --json)" '"problem": "OCSP: '
check "after all this the exchange still works" equal "$(ask)" OK

# --- revoked -------------------------------------------------------------------------------------
authority --ocsp "$OCSP" --crl "$CRL" >/dev/null || die "no other address"
outside revoke "$C/b/outside.pem" keyCompromise
responder
sleep 1.1
check "before the directory knows, nobody does" equal "$(ask)" OK
taken=$(grep -c directory.taken "$C/a/server.events")
check "the responder is asked again" statuses --to "$C/directory"
check "... and what it revoked is an act" said "certificate $PRINT of $B/SS1: revoked by EXTERNA since"
check "... that is published at once" said "epoch"
check "... for the reason that the authority gave" event keyCompromise
taken_again() { [ "$(grep -c directory.taken "$C/$1/server.events")" -gt "$taken" ]; }
wait_for 10 taken_again a && wait_for 10 taken_again b || die "the directory does not arrive"
check "nodes refuse it" refused equal "$(ask)" OK
check "... and say why" grep -q '"outcome":"REVOKED"' "$C/a/server.events"
check "its own server says what to do" wait_for 15 grep -q '"certificate.revoked".*chaski keys make' "$C/b/server.events"
check "what is done is not done twice" statuses --to "$C/directory"
check "... nor asked for again" said "2 asked for, 2 good, 0 revoked"
server_stop a
server_stop b
rm -r "$C/log"
cp -r "$C/a/audit" "$C/log"
check "what was signed before stays good" "$BIN/chaski-audit" verify "$C/log"
check "... and what was signed before anybody could know is told of" contains "$(cat "$C/check.out")" "taken in good faith"
check "... as an exported record, too" "$BIN/chaski-audit" export "$C/log" "$index" --to "$C/later" --directory "$C/directory"
words=$(bash "$C/later/verify.sh" "$C/later")
check "... which knows what its authority said later" contains "$words" "after it signed"
check "... and passes" contains "$(tail -n 1 <<<"$words")" PASS

# --- revoked, by a list --------------------------------------------------------------------------
authority --crl "$CRL" >/dev/null || die "no other address"
outside revoke "$C/c/outside.pem" affiliationChanged
outside crl ../web/ca.crl
check "a list that revokes is an act as well" statuses --to "$C/directory"
check "... as it says" said "of CO/GOV/800197268/SS1: revoked by EXTERNA since"
check "the store can be read again" contains "$(registry show)" "REVOKED since"

# --- the end of an authority ---------------------------------------------------------------------
check "an authority is removed" registry certificate-authority remove EXTERNA --reason "sin acreditación"
check "... and what it issued counts as revoked" equal "$(registry show | grep -c 'REVOKED since')" 3
check "nobody is asked any more" statuses
check "... as it says" said "0 asked for"
finish
