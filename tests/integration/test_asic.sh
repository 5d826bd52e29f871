#!/bin/bash
# SPDX-License-Identifier: MIT
# GET /asic and GET /verificationconf, as X-Road's clients know them, with curl, unzip, openssl and verify.sh:
# both halves, each switch, each error, hostile queries, who may fetch what, and a clerk that is killed.
. "$(dirname "$0")/lib.sh"
CHECKPOINT_MS=300
PUBLISH_MS=3600000
country_make >/dev/null
member_make a CO/MUN/890905211/SS1 "Medellín" TRAMITES >/dev/null
member_make b CO/GOV/899999027/SS1 "DANE" DIVIPOLA >/dev/null
registry subsystem add CO/MUN/890905211/OTRO --name "Otro" --server CO/MUN/890905211/SS1 >/dev/null || die "no second subsystem"
S=CO/GOV/899999027/DIVIPOLA/municipios
MANY=CO/GOV/899999027/ECO/uno
registry subsystem add CO/GOV/899999027/ECO --name "Eco" --server CO/GOV/899999027/SS1 >/dev/null || die "no third subsystem"
registry service add $MANY --class open >/dev/null || die "no service"
registry service add $S --class open >/dev/null || die "no service"
registry witness assign --per-log 1 --quorum 1 >/dev/null || die "no witnesses"
port=$(free_port)
registry stamp-authority url --url "http://127.0.0.1:$port/tsa" >/dev/null || die "no time stamp authority"
serve_tsa() {
    "$BIN/chaski-registry" serve "$C/store" --listen "127.0.0.1:$port" 2>>"$C/tsa.events" &
    tsa=$!
    pids+=($tsa)
    wait_for 5 curl -fsS -o /dev/null "http://127.0.0.1:$port/healthz"
}
serve_tsa || die "no TSA"
publish
printf 'cod,nombre\n05001,MEDELLIN\n11001,BOGOTA\n' >"$C/tabla.csv"
echo "service \"$S\" { kind = table file = \"$C/tabla.csv\" key = \"cod\" }" >"$C/b/services/tabla.conf"
for m in a b; do
    cat >>"$C/$m/server.conf" <<X
evidence_front = "ipc://$C/$m/evidence"
evidence_records = on
X
    echo "evidence_server = \"ipc://$C/$m/evidence\"" >>"$C/$m/gateway.conf"
done
cat >>"$C/a/gateway.conf" <<X
client "CO/MUN/890905211/TRAMITES" { records = on }
client "CO/GOV/899999027/DIVIPOLA" { records = on }
client "CO/MUN/890905211/OTRO" { purpose = "P-1" }
X
echo 'client "CO/GOV/899999027/DIVIPOLA" { records = on }' >>"$C/b/gateway.conf"
for m in a b; do
    server_start $m || die "server $m: $(tail -n 1 "$C/$m/server.events")"
    gateway_start $m || die "gateway $m: $(tail -n 1 "$C/$m/gateway.events")"
done
GA=$(gateway_url a) GB=$(gateway_url b)
call() { # X-ROAD-ID CODE
    curl -sS -m 20 -D "$C/head" -o "$C/answer" -w '%{http_code}' -H "X-Road-Client: CO/MUN/890905211/TRAMITES" \
        ${1:+-H "X-Road-Id: $1"} "$GA/r1/$S/$2"
}
wait_for 20 sh -c "[ \"\$(curl -s -m 5 -o /dev/null -w '%{http_code}' -H 'X-Road-Client: CO/MUN/890905211/TRAMITES' $GA/r1/$S/05001)\" = 200 ]" ||
    die "no exchange: $(cat "$C/answer")"
WHO="xRoadInstance=CO&memberClass=MUN&memberCode=890905211&subsystemCode=TRAMITES"
DANE="xRoadInstance=CO&memberClass=GOV&memberCode=899999027&subsystemCode=DIVIPOLA"
get() { curl -sS -m 100 -D "$C/head" -o "$C/got" -w '%{http_code}' "$@"; }
asic() { get "$GA/asic?$1"; }
text() { cat "$C/got"; }

check "an exchange" equal "$(call 'mensaje 1/ñ' 05001)" 200
exchange=$(sed -n 's/^x-road-request-id: //Ip' "$C/head" | tr -d '\r')
cp "$C/answer" "$C/answer.1"
ID="queryId=mensaje+1%2F%C3%B1"

# --- a stamp that is not there yet ---
wait_for 10 sh -c "[ \"\$(sed -n 2p '$C/a/audit/log/1/promise')\" -ge 5 ]"
check "without a time stamp there is none to be had: 500" equal "$(asic "$ID&$WHO")" 500
check "... in plain text" grep -qi '^content-type: text/plain' "$C/head"
check "... in X-Road's words" contains "$(text)" "has not been timestamped yet"
start=$(date +%s%N)
check "force has it stamped right away" equal "$(asic "$ID&$WHO&force")" 200
echo "# forced in $((($(date +%s%N) - start) / 1000000)) ms" 
check "... with both halves in a zip" equal "$(unzip -Z1 "$C/got" | grep -cE '^mensaje%201%2F%C3%B1-(request|response)-[0-9]+\.asice$')" 2
check "... named by the id" grep -qi 'content-disposition: attachment; filename="mensaje%201%2F%C3%B1.zip"' "$C/head"
check "... as a zip" grep -qi '^content-type: application/zip' "$C/head"
check "... not to be kept by a cache" grep -qi '^cache-control: no-store' "$C/head"
check "afterwards it needs no force" equal "$(asic "$ID&$WHO")" 200
cp "$C/got" "$C/both.zip"

# --- what is in it, by stock tools ---
mkdir -p "$C/x"; unzip -q -d "$C/x" "$C/both.zip"
for half in request response; do
    mkdir -p "$C/$half"; unzip -q -d "$C/$half" "$C"/x/*-$half-*.asice
    check "$half: the container says what it is at byte 38" equal "$(dd if="$(ls "$C"/x/*-$half-*.asice)" bs=1 skip=38 count=31 2>/dev/null)" application/vnd.etsi.asic-e+zip
    check "$half: openssl verifies the leaf" openssl cms -verify -cades -binary -inform DER -in "$C/$half/leaf.p7m" \
        -certfile "$C/$half/signer.pem" -CAfile "$C/store/anchor/trust.pem" -out "$C/$half.header"
    check "$half: ... over this header" cmp "$C/$half.header" "$C/$half/header.bin"
    check "$half: openssl verifies the detached signature" openssl cms -verify -cades -binary -inform DER \
        -in "$C/$half/message-signature.p7s" -content "$C/$half/header.bin" -CAfile "$C/store/anchor/trust.pem" -out /dev/null
    check "$half: openssl verifies the time stamp" openssl ts -verify -in "$C/$half/checkpoint.tst" -token_in \
        -data "$C/$half/checkpoint" -CAfile "$C/store/anchor/trust.pem"
    check "$half: verify.sh passes, with the authority's anchors and our own copy of it" bash "$ROOT/lib/evidence/record_verify.sh" "$C/$half" \
        --trust "$C/store/anchor/trust.pem" --directory-vkey "$C/store/anchor/directory.vkey" --log-vkey "$C/a/keys/log.vkey"
done
check "the request is the one that was sent" grep -qa "mensaje 1/ñ" "$C/request/payload.bin"
check "the answer is the one that came" grep -qaF "$(cat "$C/answer.1")" "$C/response/payload.bin"

# --- halves, single containers, and the exchange's own id ---
check "requestOnly" equal "$(asic "$ID&$WHO&requestOnly")" 200
check "... is one" equal "$(unzip -Z1 "$C/got" | grep -c -- '-request-')/$(unzip -Z1 "$C/got" | wc -l)" 1/1
check "... named so" grep -qi 'filename="mensaje%201%2F%C3%B1-request.zip"' "$C/head"
check "responseOnly" equal "$(asic "$ID&$WHO&responseOnly")" 200
check "... is one" equal "$(unzip -Z1 "$C/got" | grep -c -- '-response-')/$(unzip -Z1 "$C/got" | wc -l)" 1/1
check "unique gives the container itself" equal "$(asic "$ID&$WHO&requestOnly&unique")" 200
check "... of its type" grep -qi '^content-type: application/vnd.etsi.asic-e+zip' "$C/head"
check "... byte for byte the one in the zip" cmp "$C/got" "$C"/x/*-request-*.asice
check "by the exchange's own id" equal "$(asic "queryId=$exchange&$WHO&requestOnly&unique")" 200
check "... it is the same record" cmp <(unzip -p "$C/got" leaf.p7m) "$C/request/leaf.p7m"
check "by an id that gateways make" equal "$(asic "queryId=CO-$exchange&$WHO&responseOnly&unique")" 200
check "the provider fetches its half of it from its own log" equal "$(get "$GB/asic?$ID&$DANE&force")" 200
check "... both leaves are the same there" cmp <(unzip -p "$C/got" '*-request-*' >"$C/r.asice"; unzip -p "$C/r.asice" leaf.p7m) "$C/request/leaf.p7m"

# two exchanges under one id: X-Road's ids are the client's own
check "an exchange" equal "$(call doble 05001)" 200
check "another one under the same id" equal "$(call doble 11001)" 200
check "both are in the zip" equal "$(asic "queryId=doble&$WHO&force"):$(unzip -Z1 "$C/got" | wc -l)" 200:4
check "... and unique cannot be had: 500" equal "$(asic "queryId=doble&$WHO&requestOnly&unique")" 500
check "... which is said" contains "$(text)" "Several records"

# --- errors ---
refused() { # STATUS QUERY WORDS
    check "$1 for ${2:0:70}" equal "$(asic "$2")" "$1"
    check "... in plain text" grep -qi '^content-type: text/plain' "$C/head"
    check "... that says: $3" contains "$(text)" "$3"
}
refused 400 "$WHO" '"queryId" must be specified'
refused 400 "queryId=x" '"xRoadInstance" must be specified'
refused 400 "" '"queryId" must be specified'
refused 400 "$ID&$WHO&requestOnly&responseOnly" "cannot be used at the same time"
refused 400 "$ID&$WHO&unique" "not applicable without"
refused 400 "$ID&$WHO&$ID" "given twice"
refused 400 "$ID&$WHO&subsystemCode=OTRO" "given twice"
refused 400 "$ID&$WHO&force=false" "takes no value"
refused 400 "$ID&$WHO&formato=zip" "not known"
refused 400 "queryId=%00&$WHO" "not plain text"
refused 400 "queryId=%0d%0aX-Y:z&$WHO" "not plain text"
refused 400 "queryId=$(printf 'a%.0s' {1..1100})&$WHO" "too long"
refused 404 "queryId=no-such&$WHO" "No signed documents found"
refused 404 "queryId=../../../../etc/passwd&$WHO" "No signed documents found"
refused 404 "queryId=..%2f..%2fstore.key&$WHO" "No signed documents found"
refused 404 "queryId=00000000-0000-4000-8000-000000000000&$WHO" "No signed documents found"
refused 401 "$ID&${WHO/TRAMITES/OTRO}" "let no such client"
refused 401 "$ID&xRoadInstance=CO&memberClass=MUN&memberCode=890905211" "let no such client"
refused 401 "$ID&${WHO/890905211/899999040}" "let no such client"
refused 401 "$ID&$DANE" "registered at this security server"
check "a huge query is refused" equal "$(asic "$ID&$WHO&$(printf 'x=y&%.0s' {1..5000})")" 431
check "only GET" equal "$(get -X POST -d x "$GA/asic?$ID&$WHO")" 405
check "nothing else there" equal "$(get "$GA/asic/../asic?$ID&$WHO" --path-as-is)" 404
# another subsystem of ours sees none of it, even when it may fetch its own
echo 'client "CO/MUN/890905211/OTRO" { records = on }' >"$C/otro.conf"
sed -i 's/client "CO\/MUN\/890905211\/OTRO".*/client "CO\/MUN\/890905211\/OTRO" { records = on }/' "$C/a/gateway.conf"
kill -HUP "$(cat "$C/a/gateway.pid")"
wait_for 5 grep -q services.reloaded "$C/a/gateway.events"
refused 404 "queryId=$exchange&${WHO/TRAMITES/OTRO}" "No signed documents found"

# --- a payload that was erased ---
index=$(unzip -Z1 "$C/both.zip" | sed -n 's/.*-request-\([0-9]*\)\.asice/\1/p')
check "a payload is erased" timeout 40 "$BIN/chaski" erase --config "$C/a/server.conf" --entry "$index" --ground "Ley de prueba" --officer "Ana"
check "by the exchange's id it is still to be had" equal "$(asic "queryId=$exchange&$WHO&requestOnly&unique&force")" 200
mkdir -p "$C/erased"; unzip -q -d "$C/erased" "$C/got"
check "... without what was erased" test ! -e "$C/erased/payload.bin"
check "... and proved" contains "$(bash "$ROOT/lib/evidence/record_verify.sh" "$C/erased" --trust "$C/store/anchor/trust.pem" | tail -n 1)" "PASS (commitment only)"
check "its X-Road-Id is gone with it" equal "$(asic "$ID&$WHO")" 404

# --- verificationconf ---
check "verificationconf" equal "$(get "$GA/verificationconf")" 200
check "... by its name" grep -qi 'filename="verificationconf.zip"' "$C/head"
mkdir -p "$C/conf"; unzip -q -d "$C/conf" "$C/got"
V=$C/conf/verificationconf
sum=$(sha256sum <"$C/got")
for ((i = 0; i < 20; i++)); do get "$GA/verificationconf" >/dev/null; sha256sum <"$C/got"; done | sort -u >"$C/sums"
check "... made once for all who ask" equal "$(cat "$C/sums")" "$sum"
check "... says the instance" equal "$(cat "$V/instance-identifier")" CO
check "... holds the directory, by an independent checker" bash "$ROOT/tests/tools/tlog_check.sh" "$V/CO/directory" "$(cat "$C/store/anchor/directory.vkey")"
check "... and the anchors" cmp "$V/CO/trust.pem" "$C/store/anchor/trust.pem"
check "a container verifies with what is in it and nothing else" bash "$V/verify.sh" "$C/response" --trust "$V/CO/trust.pem" \
    --log-vkey "$V/CO/log.vkey" --directory-vkey "$V/CO/directory.vkey" --policy "$V/CO/policy"
sed 's/a/b/' "$C/response/payload.bin" >"$C/p"; cp "$C/p" "$C/response/payload.bin"
bash "$V/verify.sh" "$C/response" --trust "$V/CO/trust.pem" >"$C/said" 2>&1
check "... and a changed one does not" contains "$(tail -n 1 "$C/said")" "FAIL"

# --- containers with a time of their own, by stock tools ---
TSA_URL=$(sed -n 's/^stamper [^ ]* //p' "$C/a/audit/anchor/confirmers" | head -n 1)
check "a checkpoint and its time stamp come as ASiC-S" "$BIN/chaski-audit" export "$C/a/audit" 1 --asics-checkpoint "$C/head.asics"
check "... mimetype first, stored" equal "$(head -c 66 "$C/head.asics" | tail -c 36)" mimetypeapplication/vnd.etsi.asic-s+
check "... of that type" equal "$(unzip -p "$C/head.asics" mimetype)" application/vnd.etsi.asic-s+zip
rm -rf "$C/stamped"; mkdir "$C/stamped"; unzip -q -d "$C/stamped" "$C/head.asics"
check "... and nothing else" equal "$(cd "$C/stamped" && find . -type f | sort | tr '\n' ' ')" "./META-INF/timestamp.tst ./checkpoint ./mimetype "
head_stamped() { openssl ts -verify -in "$C/stamped/META-INF/timestamp.tst" -token_in -data "$C/stamped/checkpoint" -CAfile "$C/store/anchor/trust.pem" >"$C/said" 2>&1; }
check "... which openssl verifies" head_stamped
flip "$C/stamped/checkpoint" 3
check "... and not over another checkpoint" eval "! head_stamped"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj "/O=Procuraduría/CN=sello" -keyout "$C/seal.key" -out "$C/seal.pem" 2>/dev/null
check "a sealed container" "$BIN/chaski-audit" export "$C/a/audit" 1 --asice "$C/sealed.asice" --seal-key "$C/seal.key" --seal-cert "$C/seal.pem"
check "the programs are installed" make --no-print-directory -C "$ROOT" BUILD="$(basename "$OUT")" DESTDIR="$C/installed" PREFIX=/usr/local install
STAMP=$C/installed$(sed -n 's/^stamp=\([^ ]*\).*/\1/p' "$ROOT/docs/AUDIT.md")
check "... and what stamps a container, where the document says" test -x "$STAMP"
check "... and the checker of records" cmp "$(dirname "$STAMP")/verify.sh" "$ROOT/lib/evidence/record_verify.sh"
check "... is asked a time stamp for" bash "$STAMP" query "$C/sealed.asice" "$C/seal.tsq"
curl -sSH 'Content-Type: application/timestamp-query' --data-binary @"$C/seal.tsq" "$TSA_URL" -o "$C/seal.tsr"
cp "$C/sealed.asice" "$C/other.asice"; zip -qd "$C/other.asice" META-INF/signature001.p7s
check "... which is not put into another" equal "$(bash "$STAMP" add "$C/other.asice" "$C/seal.tsr" 2>&1 | grep -c 'no sealed container')" 1
check "... but into it" bash "$STAMP" add "$C/sealed.asice" "$C/seal.tsr"
check "... where it verifies" contains "$(bash "$STAMP" verify "$C/sealed.asice" "$C/store/anchor/trust.pem" 2>&1)" "PASS Time stamp: "
check "... once" equal "$(bash "$STAMP" add "$C/sealed.asice" "$C/seal.tsr" 2>&1 | grep -c 'already')" 1
check "it is a container as before" equal "$(unzip -tqq "$C/sealed.asice"; head -c 66 "$C/sealed.asice" | tail -c 36)" mimetypeapplication/vnd.etsi.asic-e+
rm -rf "$C/sealed"; mkdir "$C/sealed"; unzip -q -d "$C/sealed" "$C/sealed.asice"
check "... whose manifest of the time stamp names manifest and seal" equal "$(cd "$C/sealed" && sed -n 's/.*URI="\([^"]*\)"><ds:Dig.*<ds:DigestValue>\([^<]*\)<.*/\1 \2/p' META-INF/ASiCManifest002.xml |
    while read -r name digest; do echo "$(echo "$digest" | base64 -d | xxd -p -c 32)  $name"; done | sha256sum -c --quiet 2>&1; grep -c DataObjectReference META-INF/ASiCManifest002.xml)" 2
(cd "$C/sealed" && flip META-INF/signature001.p7s 90 && zip -q "$C/sealed.asice" META-INF/signature001.p7s)
check "another seal is not what was stamped" contains "$(bash "$STAMP" verify "$C/sealed.asice" "$C/store/anchor/trust.pem" 2>&1)" "FAIL the manifest or the seal"

# --- a record far back in a log ---
if [[ $OUT != *san ]]; then
    "$OUT/tests/front_peer" serve "ipc://$C/b/front" CO/GOV/899999027/ECO 2>/dev/null &
    pids+=($!)
    wait_for 5 sh -c "[ \$(grep -c front.gateway_arrived '$C/b/server.events') -ge 2 ]"
    check "22,000 entries on top of it" contains "$(timeout 120 "$OUT/tests/front_peer" ask "ipc://$C/a/front" CO/MUN/890905211/TRAMITES $MANY 11000 64 2>/dev/null)" "OK                   11000"
    sleep 1
    start=$(date +%s%N)
    check "it is found by its X-Road-Id" equal "$(asic "queryId=doble&$WHO"):$(unzip -Z1 "$C/got" | wc -l)" 200:4
    middle=$(date +%s%N)
    check "... and by the exchange's own id" equal "$(asic "queryId=$exchange&$WHO&requestOnly&unique")" 200
    end=$(date +%s%N)
    echo "# over 22,000 entries: by X-Road-Id $(((middle - start) / 1000000)) ms, by x-road-request-id $(((end - middle) / 1000000)) ms"
    start=$(date +%s%N)
    check "one that is not there is not found" equal "$(asic "queryId=nunca&$WHO")" 404
    check "... in bounded time" test $((($(date +%s%N) - start) / 1000000000)) -lt 21
fi

# --- no authority, a clerk that dies, and what records cost others ---
kill $tsa
check "an exchange" equal "$(call sin-sello 05001)" 200
from=$(date +%s)
check "force without an authority gives up: 500" equal "$(asic "queryId=sin-sello&$WHO&force")" 500
check "... in X-Road's words" contains "$(text)" "Could not create missing timestamp"
check "... in bounded time" test $(($(date +%s) - from)) -le 60
curl -sS -m 100 -o "$C/late" -w '%{http_code}' "$GA/asic?queryId=sin-sello&$WHO&force" >"$C/late.status" 2>/dev/null &
late=$!
sleep 1
clerk() { local p; for p in $(ps -o pid= --ppid "$(cat "$C/a/server.pid")"); do
    [ "$(cat "/proc/$p/comm" 2>/dev/null)" = chaski-clerk ] && echo "$p"; done; }
check "while one waits for a stamp, others are served" equal "$(asic "queryId=doble&$WHO")" 200
kill -9 "$(clerk)"
check "a clerk is killed with an ask in it: exchanges go on" equal "$(call despues 05001)" 200
wait $late
check "... the ask ends" equal "$(cat "$C/late.status")" 500
check "... saying so" contains "$(cat "$C/late")" "interrupted"
check "... and the clerk comes back" wait_for 20 sh -c "curl -fsS -m 15 -o /dev/null '$GA/verificationconf'"
check "no payload and no id is in any event" sh -c "! grep -qE 'mensaje|MEDELLIN|sin-sello' '$C'/*/*.events"
for m in a b; do gateway_stop $m; done
check "all stop as asked" servers_stop a b
check "the logs verify" "$BIN/chaski-audit" verify "$C/a/audit" "$C/b/audit" \
    --store-key "$C/a/keys/store.key" --store-key "$C/b/keys/store.key"
check "nothing was left in the log's folder" equal "$(find "$C/a/audit" -name '*.zip' -o -name '*.asice' | wc -l)" 0
# --- the log is closed, and the next epoch begun ---
serve_tsa || die "no TSA"
check "an operator orders a new epoch" "$BIN/chaski" log new-epoch --config "$C/a/server.conf" --reason "prueba" --officer "CC 1"
echo 'evidence_log = entries' >>"$C/a/server.conf"
echo "evidence_listen = {\"$HOST:0\"}" >>"$C/a/gateway.conf"
server_start b && gateway_start b && server_start a && gateway_start a || die "no new epoch: $(tail -n 2 "$C/a/server.events")"
GA=$(gateway_url a)
EA=http://$(sed -n 's/^evidence_listen=//p' "$C/a/gateway.ready")
check "a record of the closed epoch is found" equal "$(asic "queryId=doble&$WHO"):$(unzip -Z1 "$C/got" | wc -l)" 200:4
rm -rf "$C/x"; mkdir -p "$C/x/r"; unzip -q -d "$C/x" "$C/got"; unzip -q -d "$C/x/r" "$(ls "$C"/x/*-request-*.asice | head -n 1)"
check "... and proved" bash "$ROOT/lib/evidence/record_verify.sh" "$C/x/r" --trust "$C/store/anchor/trust.pem"
wait_for 20 sh -c "[ \"\$(curl -s -m 5 -o /dev/null -w '%{http_code}' -H 'X-Road-Client: CO/MUN/890905211/TRAMITES' $GA/r1/$S/05001)\" = 200 ]"
check "an exchange in the new one" equal "$(call nueva 05001)" 200
check "... is stamped right away" equal "$(asic "queryId=nueva&$WHO&force"):$(unzip -Z1 "$C/got" | wc -l)" 200:2
rm -rf "$C/x"; mkdir -p "$C/x/r"; unzip -q -d "$C/x" "$C/got"; unzip -q -d "$C/x/r" "$(ls "$C"/x/*-request-*.asice | head -n 1)"
check "... and proved" bash "$ROOT/lib/evidence/record_verify.sh" "$C/x/r" --trust "$C/store/anchor/trust.pem"
check "the log that is published is the new one" contains "$(curl -sS "$EA/log/checkpoint" | head -n 1)" "/2"
check "... the closed one is beside it" contains "$(curl -sS "$EA/log/1/checkpoint" | head -n 1)" "SS1/1"
check "... and no third" equal "$(get "$EA/log/3/checkpoint")" 404
for m in a b; do gateway_stop $m; server_stop $m; done

# off by default
sed -i '/evidence_records/d' "$C/a/server.conf"
server_start b
server_start a && gateway_start a
GA=$(gateway_url a)
check "a server whose settings do not say so hands out nothing" equal "$(asic "queryId=doble&$WHO")" 404
check "... and says why" contains "$(text)" "evidence_records"
check "... nor what they would be checked with" equal "$(get "$GA/verificationconf")" 404
check "... and says why" contains "$(text)" "evidence_records"
gateway_stop a
sed -i '/^evidence_/d' "$C/a/gateway.conf"
gateway_start a
GA=$(gateway_url a)
check "a gateway that has nobody to ask says so too" equal "$(get "$GA/verificationconf")" 404
check "... in words" contains "$(text)" "evidence_server is not set"
finish
