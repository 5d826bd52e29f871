#!/bin/bash
# SPDX-License-Identifier: MIT
# Enrolment at the authority: requests made with stock tools are proven, shown, prepared, approved by two or
# refused with a reason; bad ones change nothing; a kill at any moment loses nothing. Then the member changes
# what is its own, and cosigns the directory.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/stock.sh"
refused() { ! "$@"; }
country_make >/dev/null
registry member add CO/GOV/DANE --name DANE --public >/dev/null || die "no member"
for who in ana blas; do
    "$BIN/chaski-registry" operator key "$C/$who.key" >"$C/$who.pub" || die "no key"
    registry operator add "$who" --name "$who" --key "$(cat "$C/$who.pub")" --role enrol --role approve >/dev/null || die "no operator"
done
serve() {
    rm -f "$C/ready"
    "$BIN/chaski-registry" serve "$C/store" --listen 127.0.0.1:0 --directory "$C/directory" --authority \
        --admin 127.0.0.1:0 --push 'tcp://127.0.0.1:*' --ready-file "$C/ready" 2>>"$C/serve.events" &
    pid=$!
    pids+=($pid)
    wait_for 20 test -s "$C/ready" || die "it does not start: $(tail -n 1 "$C/serve.events")"
    url=http://$(sed -n 's/^listen=//p' "$C/ready")
    admin=https://$(sed -n 's/^admin=//p' "$C/ready")
    authority_pid=$(sed -n 's/^authority_pid=//p' "$C/ready")
}
kill_it() { kill -9 "$pid"; wait "$pid" 2>/dev/null; wait_for 5 gone "$authority_pid"; }
serve
"$BIN/chaski-registry" anchor "$C/store" --url "$url" --to "$C/chaski.anchor" >/dev/null || die "no anchor"
at() { "$BIN/chaski-registry" "${@:2}" --at "$admin" --anchor "$C/chaski.anchor" --as "$C/$1.key"; }
# the intake key of the anchor as openssl reads it: an X25519 SubjectPublicKeyInfo
(printf '302a300506032b656e032100'; jq -r .intake_key "$C/chaski.anchor") | xxd -r -p | openssl pkey -pubin -inform DER -out "$C/intake.pub" ||
    die "the anchor has no intake key"
post() { # PATH FILE: the status; the answer in $C/body
    rm -f "$C/body"
    curl -sS --max-time 20 -o "$C/body" -w '%{http_code}' -H 'Content-Type: application/json' --data-binary @"$2" "$url$1"
}
send() { cat >"$C/sent"; post /enrol/v1/requests "$C/sent"; }
why() { jq -r .detail "$C/body"; }
state_of() { curl -sS "$url/enrol/v1/requests/$1" | jq -r .state; }

# --- not reached ------------------------------------------------------------------------------------
elsewhere() { "$BIN/chaski-registry" requests --at "$1" --anchor "$C/chaski.anchor" --as "$C/ana.key" 2>&1; }
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout "$C/other.key" -out "$C/other.pem" -subj /CN=127.0.0.1 \
    -addext subjectAltName=IP:127.0.0.1 -days 2 2>/dev/null
other_port=$(free_port)
openssl s_server -accept "127.0.0.1:$other_port" -cert "$C/other.pem" -key "$C/other.key" -tls1_3 -quiet >/dev/null 2>&1 </dev/null &
pids+=($!)
answers() { (: <"/dev/tcp/127.0.0.1/$other_port") 2>/dev/null; }
wait_for 10 answers || die "openssl s_server does not start"
said=$(elsewhere "https://127.0.0.1:$other_port")
check "one that is not the anchor's registry is said to be that" equal "$(grep -c 'certificate.*recognized.*--host' <<<"$said") $(grep -c provider <<<"$said")" "1 0"
said=$(elsewhere https://nadie.invalid:1)
check "... and a name that nobody has, to be that" equal "$(grep -c 'no good answer.*nadie.invalid' <<<"$said") $(grep -c provider <<<"$said")" "1 0"

# --- a good one -------------------------------------------------------------------------------------
agency medellin
S=CO/MUN/890905211/SS1
request medellin $S >"$C/good"
check "a request with all its proofs is kept" equal "$(send <"$C/good")" 201
id=$(jq -r .id "$C/body")
check "... under the digest of its canonical form" equal "$id" "$(hex_of <"$C/digest")"
check "... and waits" equal "$(state_of "$id")" waiting
reached() { curl -sS "$url/enrol/v1/requests/$id" | jq -r '.reach.ipv4 // empty' | grep -q .; }
check "an address of this machine is not called back" wait_for 10 reached
check "... as everybody is told" equal "$(curl -sS "$url/enrol/v1/requests/$id" | jq -r '.reach.ipv4')" "not tried: a private or reserved address"
check "the same again is the same" equal "$(jq -cS . "$C/good" | send) $(jq -r .id "$C/body")" "200 $id"
check "operators are shown it" contains "$(at ana requests)" "$S, Alcaldía de Prueba"
check "... with what the agency tested" equal "$(at ana request show "$id" | jq .request.self_test.clock_ms)" 3

# --- bad ones ---------------------------------------------------------------------------------------
before=$(ls "$C/store/requests" | wc -l)
bad() { # SENTENCE WHY: what stands on stdin
    local status
    status=$(send)
    check "$1" equal "$status $(why | grep -c "$2")" "400 1"
}
head -c 700 "$C/good" | bad "half a request is refused" "not a JSON object"
jq '. + {extra: 1}' "$C/good" | bad "so is one with a field that is not known" "not known"
sed 's/"server"/"server": "x", "server"/' "$C/good" | bad "... one with a doubled field" "not a JSON object"
jq 'del(.proofs)' "$C/good" | bad "... one without proofs" '"proofs" is missing'
for proof in sign log witness; do
    jq ".proofs.$proof = .proofs.$([ $proof = log ] && echo witness || echo log)" "$C/good" | bad "... one whose $proof key signs nothing" "$proof"
done
jq '.proofs.transport = .proofs.seal[0]' "$C/good" | bad "... one that does not have its transport key" transport
jq '.proofs.seal[0] = .proofs.transport' "$C/good" | bad "... one that does not have its sealing key" seal
jq '.organisation = "Otra"' "$C/good" | bad "... one that was changed on the way" "not made with"
agency bogota
jq --slurpfile theirs "$C/good" '.proofs = $theirs[0].proofs' <(bare bogota CO/MUN/1/SS1) | bad "... one with another's proofs" "not made with"
request bogota CO/MUN/1./SS1 | bad "... an identifier with a dot at its end" "dot"
request bogota CO/MUN/1%E2%80%8B/SS1 | bad "... one with a character that cannot be seen" "cannot be seen"
request bogota CO/MUN/1/SS1 '.organisation = "Fondo \u202eacilb\u00fap"' | bad "... a name that is read backwards" "not seen"
request bogota CO/MUN/1/SS1 '.self_test.version = "1\u200b"' | bad "... such a word in what it tested" "not seen"
request bogota AR/MUN/1/SS1 | bad "... one of another country" "another instance"
request bogota CO/AUTHORITY/1/SS1 | bad "... the authority's own class" "the authority's own"
request bogota CO/MUN/1/SS1 '.addresses = ["http://x"]' | bad "... an address that is none" "address"
request bogota CO/MUN/1/SS1 '.transport_key = ("0" * 64)' | bad "... a key that agrees with nobody" "weak"
request bogota CO/MUN/1/SS1 '.subsystems = [{code: "A/B", name: "x"}]' | bad "... a subsystem that is two" "identifier"
openssl req -new -newkey rsa:2048 -nodes -keyout "$C/rsa.key" -subj /CN=x -outform DER -out "$C/rsa.csr" 2>/dev/null
request bogota CO/MUN/1/SS1 ".certificate_request = \"$(b64 <"$C/rsa.csr")\"" | bad "... an RSA key" "P-256"
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:secp384r1 -nodes -keyout "$C/p384.key" -subj /CN=x -outform DER -out "$C/p384.csr" 2>/dev/null
request bogota CO/MUN/1/SS1 ".certificate_request = \"$(b64 <"$C/p384.csr")\"" | bad "... a key of another curve" "P-256"
request bogota CO/MUN/1/SS1 ".log_vkey = \"$(vkey chaski/CO/directory 01 "$C/bogota/log.key")\"" | bad "... the directory's own log" "own log"
check "what is too large is not read" equal "$(head -c 70000 /dev/zero | tr '\0' ' ' | send)" 413
check "none of them was kept" equal "$(ls "$C/store/requests" | wc -l)" "$before"

# --- look-alikes, and two for one name --------------------------------------------------------------
agency impostor
check "a name like a registered one is kept" equal "$(request impostor CO/GOV/D%D0%90NE/SS1 | send)" 201
check "... and operators are warned" contains "$(at ana requests)" "LOOK: looks like CO/GOV/DANE"
impostor=$(jq -r .id "$C/body")
check "two may ask for one name" equal "$(request bogota $S | send)" 201
other=$(jq -r .id "$C/body")
check "... and operators see both" contains "$(at ana requests)" "LOOK: another request for this server waits: ${id:0:16}"

# --- refused ----------------------------------------------------------------------------------------
at ana request refuse "$impostor" --reason "No es el DANE" >/dev/null
check "a refusal comes back with its reason" equal "$(curl -sS "$url/enrol/v1/requests/$impostor" | jq -r '"\(.state): \(.reason)"')" "refused: No es el DANE"
check "... and the request is not prepared any more" contains "$(at ana request prepare "$impostor" 2>&1)" "was refused"

# --- prepared and approved --------------------------------------------------------------------------
check "one operator prepares it" contains "$(at ana request prepare "$id")" "3 acts wait"
check "... which is seen at the agency" equal "$(state_of "$id")" prepared
check "prepared twice is prepared once" contains "$(at blas request prepare "$id")" "prepared by ana: 3 acts wait"
kill_it
serve
check "all of it is there after a kill" equal "$(state_of "$id")" prepared
said=$(at ana approve "$id" --yes)
check "the first approval changes nothing yet" equal "$(state_of "$id")" prepared
check "... it says of which acts" equal "$(grep -c "waits with 1 approval" <<<"$said")" 2
check "... not even that, and it does not look like a failure" equal \
    "$(grep -c "approved; waits for another approval" <<<"$said") $(grep -c "could not" <<<"$said")" "1 0"
check "the second one admits member, server and subsystem" equal "$(at blas approve "$id" --yes | grep -c "carried out")" 3
check "the agency sees it" equal "$(state_of "$id")" approved
"$BIN/chaski-registry" show "$C/store" --json >"$C/show"
check "the member has its name" equal "$(jq -r '.members[] | select(.id == "CO/MUN/890905211").name' "$C/show")" "Alcaldía de Prueba"
check "... and its subsystem" equal "$(jq -r '.subsystems[].id' "$C/show")" CO/MUN/890905211/TRAMITES
check "the certificate is for the agency's key" equal \
    "$(jq -r '.servers[0].certificates[0].trusted' "$C/show") $(jq -r .servers[0].transport_key "$C/show")" \
    "true $(public_of "$C/medellin/transport.key" | hex_of)"
check "a registered key is no one else's" equal "$(request medellin CO/MUN/2/SS1 | send) $(why | grep -c 'registered already')" "400 1"
check "what was approved cannot be refused" contains "$(at ana request refuse "$id" --reason x 2>&1)" "was approved"
check "the other one for this name is told at its preparation" contains "$(at ana request prepare "$other" --without-voucher "La alcaldía lo pidió")" \
    "LOOK: this server is registered, with other keys: approving replaces them"
words=$(echo no | at ana approve "$other" 2>&1)
check "... and in the words of what it changes, what it replaces first" contains "$words" \
    "server $S (changed: transport key, sealing keys, log, witness, certificates), at tcp://127.0.0.1:5500"
check "... with what stood there until now" contains "${words#*until now}" "$(vkey log.example/medellin/1 01 "$C/medellin/log.key")"
agency ladron
check "a request with other keys for a server that serves is kept" equal "$(request ladron $S '.addresses = ["tcp://127.0.0.2:5500"]' | send)" 201
check "... and operators are warned in the list" contains "$(at ana requests)" "LOOK: this server is registered, with other keys"
at ana request refuse "$(jq -r .id "$C/body")" --reason "No lo pidió la alcaldía" >/dev/null
check "one for another server of somebody's member is kept" equal "$(request ladron CO/MUN/890905211/SS2 | send)" 201
check "... and operators are warned" contains "$(at ana requests)" "LOOK: this member has servers, and none of them vouches"
check "one with a zero before the number of a member is kept" equal "$(request ladron CO/MUN/0890905211/SS1 | send)" 201
check "... and looks like it" contains "$(at ana requests)" "LOOK: looks like CO/MUN/890905211"

agency cali
request cali CO/MUN/890399011/SS1 | send >/dev/null
cali=$(jq -r .id "$C/body")
said=$(at ana request prepare "${cali:0:16}")
check "the first digits of a request's ID are enough" contains "$said" "$cali"
check "... not so few that they are guessed" contains "$(at ana request prepare "${cali:0:7}" 2>&1)" "at least 8"
check "... and digits of none are none" contains "$(at ana request prepare "$(tr 0-9a-f 1-9a-f0 <<<"$cali" | cut -c 1-16)" 2>&1)" "no request"
at ana approve "$cali" --yes >/dev/null
for act in $(at blas proposals --json | jq -r ".[] | select(.label == \"$cali\" and .state == \"waiting\" and .enough == false).id"); do
    at blas approve "$act" --yes >/dev/null
done
check "what had its approval follows with the last act that it waited for" equal "$(state_of "$cali")" approved

# --- the member's own changes -----------------------------------------------------------------------
act() { jq -n --arg act "$1" '{act: $act}' >"$C/sent"; post /member/v1/acts "$C/sent"; }
draft 'subsystem_set { id: "CO/MUN/890905211/SALUD" name: "Salud" server: "'$S'" }'
mine=$(approved $S "$C/medellin/sign.key")
check "a member adds a subsystem by itself" equal "$(act "$mine")" 200
epoch=$(jq .epoch "$C/body")
check "... which is published at once" equal "$("$BIN/chaski-registry" show "$C/store" --json | jq '[.subsystems[].id] | index("CO/MUN/890905211/SALUD") != null')" true
check "sent again it gets the same answer" equal "$(act "$mine") $(jq .epoch "$C/body")" "200 $epoch"
draft 'subsystem_set { id: "CO/GOV/DANE/ROBADO" name: "x" server: "'$S'" }'
check "for another member it can do nothing" equal "$(act "$(approved $S "$C/medellin/sign.key")") $(why | grep -c 'an operator')" "400 1"
draft 'member_set { id: "CO/MUN/890905211" name: "Otra" }'
check "nor for what only operators decide" equal "$(act "$(approved $S "$C/medellin/sign.key")")" 400
draft 'subsystem_set { id: "CO/MUN/890905211/X" name: "x" server: "'$S'" }'
check "another key signs nothing" equal "$(act "$(approved $S "$C/impostor/sign.key")") $(why | grep -c 'not signed')" "400 1"
check "garbage is no act" equal "$(act AAAA)" 400
draft 'certificate_revoked { certificate_sha256: "x" }'

# --- the directory's witnesses ----------------------------------------------------------------------
said=$(at ana directory witnesses --quorum 1 --witness $S --label testigos)
check "a member's server becomes a witness of the directory" contains "$(at blas approve "${said:0:16}" --yes)" "carried out"
witness=$(vkey log.example/medellin/1 04 "$C/medellin/witness.key")
head_now() { curl -sS "$url/directory/checkpoint" >"$C/head"; }
head_now
cosignature "$witness" "$C/medellin/witness.key" >"$C/line"
check "its cosignature is taken" equal "$(post /directory/cosignature "$C/line") $(jq .cosignatures "$C/body")" "200 1"
check "... and stands in the checkpoint" contains "$(curl -sS "$url/directory/checkpoint")" "$(cat "$C/line")"
check "twice it stands there once" equal "$(cosignature "$witness" "$C/medellin/witness.key" >"$C/line2"
    post /directory/cosignature "$C/line2"; curl -sS "$url/directory/checkpoint" | grep -c '^— log.example')" 2001
check "nobody else's is taken" equal "$(cosignature "$(vkey log.example/bogota/1 04 "$C/bogota/witness.key")" "$C/bogota/witness.key" >"$C/line"
    post /directory/cosignature "$C/line")" 400
check "nor garbage" equal "$(head -c 300 /dev/urandom >"$C/line"; post /directory/cosignature "$C/line")" 400
kill_it
serve
check "it is there after a kill" equal "$(curl -sS "$url/directory/checkpoint" | grep -c '^— log.example')" 1

# --- news -------------------------------------------------------------------------------------------
"$OUT/tests/push_listen" "$(sed -n 's/^push=//p' "$C/ready")" "$C/store/push.key" 1 >"$C/news" 2>&1 &
listener=$!
pids+=($listener)
wait_for 5 grep -q listening "$C/news"
sleep 0.5
draft 'subsystem_set { id: "CO/MUN/890905211/AGUA" name: "Agua" server: "'$S'" }'
act "$(approved $S "$C/medellin/sign.key")" >/dev/null
wait_for 10 gone $listener
head_now
check "who listens gets the note of the new head and its acts" equal "$(tail -n 1 "$C/news")" "size $(sed -n 2p "$C/head") leaves 2"

# --- killed while requests come ---------------------------------------------------------------------
lost=0
for i in 1 2 3 4 5 6; do
    agency "k$i"
    request "k$i" "CO/MUN/7$i/SS1" >"$C/k$i/request"
done
for i in 1 2 3 4 5 6; do
    ( [ "$(post /enrol/v1/requests "$C/k$i/request" 2>/dev/null)" = 201 ] && touch "$C/k$i/kept" ) &
    sleep "0.0$((RANDOM % 4))"
    kill_it
    wait $!
    serve
    known=$(post /enrol/v1/requests "$C/k$i/request")
    [ -e "$C/k$i/kept" ] && [ "$known" != 200 ] && lost=1
done
check "no request that was acknowledged is lost" equal $lost 0

# --- bounds -----------------------------------------------------------------------------------------
waiting=$(at ana requests --json | jq '[.[] | select(.state == "waiting" or .state == "prepared")] | length')
agency many
status=201
for ((i = waiting; i < 64 && 10#$status == 201; i++)); do status=$(request many "CO/MUN/9/SS$i" | send); done
check "one address may have 64 requests waiting" equal "$status" 201
check "... and no more" equal "$(request many CO/MUN/9/SS99 | send)" 429
check "what an operator decided makes room" equal "$(at ana request refuse "$other" --reason "Ya hay otra" >/dev/null
    request many CO/MUN/9/SS99 | send)" 201
finish
