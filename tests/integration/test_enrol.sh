#!/bin/bash
# SPDX-License-Identifier: MIT
# An agency's first afternoon, with real processes: two servers ask to be enrolled, are approved by two operators,
# begin to serve by themselves, change what is theirs, and exchange. A kill at any moment loses nothing; what is
# wrong is refused in words, with nothing half done.
. "$(dirname "$0")/lib.sh"
country_make >/dev/null
for who in ana blas; do
    "$BIN/chaski-registry" operator key "$C/$who.key" >"$C/$who.pub" || die "no key"
    registry operator add "$who" --name "$who" --key "$(cat "$C/$who.pub")" --role enrol --role approve >/dev/null || die "no operator"
done
"$BIN/chaski-registry" serve "$C/store" --listen 127.0.0.1:0 --directory "$C/directory" --authority \
    --admin 127.0.0.1:0 --push 'tcp://127.0.0.1:*' --reach-private --ready-file "$C/ready" 2>>"$C/serve.events" &
registry_pid=$!
pids+=($registry_pid)
wait_for 20 test -s "$C/ready" || die "the registry does not start: $(tail -n 1 "$C/serve.events")"
url=http://$(sed -n 's/^listen=//p' "$C/ready")
admin=https://$(sed -n 's/^admin=//p' "$C/ready")
"$BIN/chaski-registry" anchor "$C/store" --url "$url" --push "$(sed -n 's/^push=//p' "$C/ready")" --to "$C/chaski.anchor" >/dev/null || die "no anchor"
fingerprint_of() { "$BIN/chaski" anchor "$1" 2>/dev/null | sed -n 's/^fingerprint  //p'; }
words=$(fingerprint_of "$C/chaski.anchor")
at() { "$BIN/chaski-registry" "${@:2}" --at "$admin" --anchor "$C/chaski.anchor" --as "$C/$1.key"; }

declare -A PORT
# enrol NAME SERVER_ID TITLE OPTION...: what is said in $C/said, its exit status as the result
enrol() {
    local name=$1 server=$2 title=$3
    mkdir -p "$C/$name/services"
    [ -n "${PORT[$name]:-}" ] || PORT[$name]=$(free_port)
    timeout 60 "$BIN/chaski" enrol --anchor "${ANCHOR:-$C/chaski.anchor}" --folder "$C/$name/keys" --server "$server" --name "$title" \
        --address "tcp://127.0.0.1:${PORT[$name]}" --public --fingerprint "$words" --audit "$C/$name/audit" "${@:4}" \
        >"$C/said" 2>&1 </dev/null
}
status_of() { local status=0; "$@" || status=$?; echo $status; }
said() { grep -c -- "$1" "$C/said"; }
configure() { # NAME SERVER_ID
    cat >"$C/$1/server.conf" <<E
server = "$2"
keys_folder = "$C/$1/keys"
audit_folder = "$C/$1/audit"
anchor_file = "$C/chaski.anchor"
directory_poll_ms = 500
front = "ipc://$C/$1/front"
mesh_listen = {"tcp://127.0.0.1:${PORT[$1]}"}
ready_file = "$C/$1/server.ready"
event_level = debug
wal_segment_mib = 4
checkpoint_every_ms = 1000
start_check_ms = 600
E
    cat >"$C/$1/gateway.conf" <<E
listen = {"127.0.0.1:0"}
server = "ipc://$C/$1/front"
ready_file = "$C/$1/gateway.ready"
services_folder = "$C/$1/services"
event_level = debug
E
}
begin() { # NAME: the server, without waiting for anything
    "$BIN/chaski-security-server" --config "$C/$1/server.conf" 2>>"$C/$1/server.events" &
    echo $! >"$C/$1/server.pid"
    pids+=($!)
}
A=CO/MUN/890905211/SS1
B=CO/GOV/899999027/SS1
for name in a b c w x thief; do PORT[$name]=$(free_port); done

# --- what is wrong before anything is sent ----------------------------------------------------------
good=$words
words="0000 ${words#* }"
[ "$words" != "$good" ] || words="1111 ${words#* }"
check "another fingerprint than the authority's is refused" equal "$(status_of enrol a $A Alcaldía) $(said 'do not use this file')" "1 1"
words=$good
check "... and nothing was made" test ! -e "$C/a/keys"
check "where nobody can be asked the fingerprint must be given" contains \
    "$(timeout 20 "$BIN/chaski" enrol --anchor "$C/chaski.anchor" --folder "$C/x/keys" --server $A --name x --address tcp://127.0.0.1:1 2>&1 </dev/null)" "fingerprint is needed"
check "an identifier that looks like another is refused" equal "$(status_of enrol a "CO/MUN/890905211./SS1" Alcaldía) $(said 'is not INSTANCE')" "2 1"
check "a server of another country than the anchor's is refused" equal "$(status_of enrol a "co/MUN/890905211/SS1" Alcaldía) $(said 'is not of CO')" "2 1"
check "... before there are keys of that name" test ! -e "$C/a/keys"
jq -c '.made -= 1000000 | .expires = .made + 1000' "$C/chaski.anchor" >"$C/expired.anchor"
words=$(fingerprint_of "$C/expired.anchor")
check "an anchor that has expired is refused" equal "$(ANCHOR=$C/expired.anchor status_of enrol a $A Alcaldía) $(said 'expired')" "1 1"
words=$good
check "a registry that is not there is said, and nothing is made" equal \
    "$(status_of enrol a $A Alcaldía --at "http://127.0.0.1:$(free_port)") $(said 'Nothing was sent') $(test -e "$C/a/keys" && echo made)" "1 1 "

# a web server of our own: the directory with a heartbeat of another time, and garbage for the rest
mkdir -p "$C/web"
cp -r "$C/directory" "$C/web/directory"
web_port=$(free_port)
cat >"$C/nginx.conf" <<E
daemon off; master_process off; pid $C/nginx.pid; error_log $C/nginx.log;
events { worker_connections 64; }
http { access_log off; client_body_temp_path $C/t1; proxy_temp_path $C/t2; fastcgi_temp_path $C/t3; uwsgi_temp_path $C/t4; scgi_temp_path $C/t5;
  server { listen 127.0.0.1:$web_port; root $C/web;
    location /enrol/ { return 200 "<html>hola</html>"; } } }
E
chmod 755 "$C"
chmod -R a+rX "$C/web"
nginx -c "$C/nginx.conf" -p "$C" 2>"$C/nginx.err" &
pids+=($!)
wait_for 10 curl -fsS -o /dev/null "http://127.0.0.1:$web_port/directory/checkpoint" || die "nginx does not start"
beat() { timeout 3 "$OUT/tests/directory_voice" heartbeat "$C/store" "$C/web/directory" "$1" >/dev/null 2>&1 </dev/null; }
beat 86400
check "a clock that is a day behind the signed word is said, with both culprits" equal \
    "$(status_of enrol a $A Alcaldía --at "http://127.0.0.1:$web_port") $(said '8[0-9]* s behind')" "1 1"
beat -86400
check "a word that is a day old is not this clock's fault" equal \
    "$(status_of enrol w CO/MUN/7/SS1 Web --at "http://127.0.0.1:$web_port") $(said 'newest signed word is 8')" "1 1"
check "what answers garbage is said" equal "$(said 'something that no registry says')" 1
sum=$(sha256sum "$C"/w/keys/*)
check "... and the request can go to the registry itself, with the same keys" equal "$(status_of enrol w CO/MUN/7/SS1 Web --at "$url") $(sha256sum "$C"/w/keys/*)" "3 $sum"

# --- the first one, killed again and again ----------------------------------------------------------
first=
for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
    "$BIN/chaski" enrol --anchor "$C/chaski.anchor" --folder "$C/a/keys" --server $A --name "Alcaldía de Medellín" --public \
        --address "tcp://127.0.0.1:${PORT[a]}" --fingerprint "$words" --subsystem "TRAMITES=Trámites" --audit "$C/a/audit" >/dev/null 2>&1 </dev/null &
    enrolling=$!
    sleep "$(printf '0.%03d' $((i * 12)))"
    kill -9 $enrolling 2>/dev/null
    wait $enrolling 2>/dev/null
    [ ! -s "$C/a/keys/enrolment.json" ] || [ -n "$first" ] || first=$(sha256sum "$C"/a/keys/*)
done
check "killed at twelve moments it goes on, and waits" equal "$(status_of enrol a $A "Alcaldía de Medellín" --subsystem "TRAMITES=Trámites")" 3
check "... with the keys and the request of the first time" equal "$(sha256sum "$C"/a/keys/*)" "${first:-$(sha256sum "$C"/a/keys/*)}"
check "... and is one request at the registry" equal "$(at ana requests --json | jq "[.[] | select(.server == \"$A\")] | length")" 1
check "... with no folder left over" test ! -e "$C/a/keys.enrolling"
id=$(sed -n 's/^request //p' "$C/said")
check "the operators see what it tested" equal "$(at ana request show "$id" | jq -r '.request.self_test | "\(.registry.ipv4), \(.addresses[0].is)"')" "reached, listened and connected"
check "another server with these keys is refused" equal "$(status_of enrol a CO/MUN/1/SS1 x) $(said 'keys of its own')" "1 1"

# --- the node waits by itself -----------------------------------------------------------------------
configure a $A
begin a
state() { "$BIN/chaski" status --config "$C/a/server.conf" 2>/dev/null | cut -d ' ' -f 1; }
check "a node without a certificate waits" wait_for 20 grep -q '"server.enrolment"' "$C/a/server.events"
wait_for 5 test -s "$C/a/audit/state"
check "... which its status says" equal "$(state)" ENROLMENT
"$BIN/chaski-gateway" --config "$C/a/gateway.conf" 2>>"$C/a/gateway.events" &
pids+=($!)
wait_for 20 test -s "$C/a/gateway.ready" || die "no gateway"
ready_says() { curl -sS "$(gateway_url a)/readyz" | grep -q "$1"; }
check "... and its gateway" wait_for 10 ready_says ENROLMENT
# --- called back --------------------------------------------------------------------------------------
reach() { at ana request show "$1" | jq -r ".reach.$2"; }
reach_says() { [ "$(reach "$1" "$2")" = "$3" ]; }
check "before the server was started, the registry did not reach it" grep -q "\"request.called_back\".*$A.*not reached: the connection is refused" "$C/serve.events"
sleep 11 # it is called again when the agency asks again, not at once
check "the agency asks again" equal "$(status_of enrol a $A Alcaldía)" 3
check "a server that waits is reached at its mesh address" wait_for 20 reach_says "$id" ipv4 reached
check "... and has no address of the other family" equal "$(reach "$id" ipv6)" "no address"
check "... which the agency is told" equal "$(status_of enrol a $A Alcaldía) $(said 'IPv4: reached; IPv6: no address')" "3 1"
check "... and the operators, in the list" contains "$(at ana requests)" "IPv4: reached; IPv6: no address"
check "the process that calls has one line, and no file of the store" equal \
    "$(callback=$(pgrep -P $registry_pid -f . | while read -r p; do [ "$(cat "/proc/$p/comm")" = chaski-callbac ] || [ "$(cat "/proc/$p/comm")" = chaski-callback ] && echo "$p"; done)
       find "/proc/$callback/fd" -type l -printf '%l\n' | sed 's/:.*//' | grep -c -e '^socket' -e "^$C/store" || :)" 1
check "... with no log begun" equal "$(ls "$C/a/audit" | grep -c '^log$')" 0

PORT[y]=$web_port # where a web server listens
check "what listens elsewhere proves nothing" equal "$(status_of enrol y CO/MUN/8/SS1 Otra)" 3
other=$(sed -n 's/^request //p' "$C/said")
check "... and is not taken for the server" wait_for 30 reach_says "$other" ipv4 "not reached: what answers there does not show the request's transport key"
if [ -e /proc/net/if_inet6 ] && grep -q ' lo$' /proc/net/if_inet6; then
    PORT[z]=$(free_port)
    check "a server with addresses of both families asks" equal "$(status_of enrol z CO/MUN/9/SS1 Doble --address "tcp://[::1]:${PORT[z]}")" 3
    both=$(sed -n 's/^request //p' "$C/said")
    configure z CO/MUN/9/SS1
    sed -i "s#^mesh_listen.*#mesh_listen = {\"tcp://[::1]:${PORT[z]}\"}#" "$C/z/server.conf"
    begin z
    wait_for 20 grep -q '"server.enrolment"' "$C/z/server.events"
    sleep 11
    enrol z CO/MUN/9/SS1 Doble
    check "each family is told by itself" wait_for 30 reach_says "$both" ipv6 reached
    check "... and the other one is missing" equal "$(reach "$both" ipv4)" "not reached: the connection is refused: nothing listens there"
    kill "$(cat "$C/z/server.pid")"
fi

# --- approved ---------------------------------------------------------------------------------------
at ana request prepare "$id" >/dev/null || die "not prepared"
check "prepared is seen at the agency" equal "$(status_of enrol a $A "Alcaldía de Medellín") $(said 'prepared: two operators')" "3 1"
at ana approve "$id" --yes >/dev/null
at blas approve "$id" --yes >/dev/null
check "approved is seen at the agency" equal "$(status_of enrol a $A "Alcaldía de Medellín" --wait 20) $(said 'approved, epoch')" "0 1"
check "the node takes its certificate" wait_for 20 test -s "$C/a/keys/sign.crt"
check "... and serves, without a restart by hand" wait_for 20 test -s "$C/a/server.ready"
check "... under the same supervisor" test -e "/proc/$(cat "$C/a/server.pid")/stat"
check "... ready" wait_for 20 ready_says "^ready"
check "... and it said so" grep -q '"server.enrolled"' "$C/a/server.events"

# --- the second one: keys from before, refused first ------------------------------------------------
mkdir -p "$C/b/services"
"$BIN/chaski" keys make --folder "$C/b/keys" --server $B --name DANE --address "tcp://127.0.0.1:${PORT[b]}" --request "$C/b/request.json" >/dev/null || die "no keys"
check "keys that were made before are enrolled, too" equal "$(status_of enrol b $B DANE --subsystem "DIVIPOLA=Divipola")" 3
b_id=$(sed -n 's/^request //p' "$C/said")
at ana request refuse "$b_id" --reason "Falta el acta" >/dev/null
check "a refusal comes back with its reason and what to do" equal "$(status_of enrol b $B DANE) $(said 'refused: Falta el acta') $(said '--anew')" "4 1 1"
check "another request with the same keys is made" equal "$(status_of enrol b $B DANE --subsystem "DIVIPOLA=Divipola" --anew)" 3
b_id=$(sed -n 's/^request //p' "$C/said")
check "a server of another's member can be asked for" equal "$(status_of enrol thief CO/MUN/890905211/SS2 "Otra Alcaldía")" 3
check "... which operators see" contains "$(at ana requests)" "CO/MUN/890905211/SS2, Otra"
configure b $B
begin b
wait_for 20 grep -q '"server.enrolment"' "$C/b/server.events"
kill -9 "$(cat "$C/b/server.pid")"
wait "$(cat "$C/b/server.pid")" 2>/dev/null
begin b
at blas request prepare "$b_id" >/dev/null || die "not prepared"
at ana approve "$b_id" --yes >/dev/null
at blas approve "$b_id" --yes >/dev/null
check "a node that was killed while it waited is enrolled, too" wait_for 30 test -s "$C/b/server.ready"

# --- the third one: sealed keys, and the signing key in a token --------------------------------------
export SOFTHSM2_CONF=$C/softhsm.conf
mkdir -p "$C/tokens"
printf 'directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\n' "$C/tokens" >"$SOFTHSM2_CONF"
softhsm2-util --init-token --free --label Sello --pin 123456 --so-pin 654321 >/dev/null || die "no token"
(umask 077 && printf 123456 >"$C/pin" && printf 'una frase bastante larga' >"$C/phrase")
token="pkcs11:token=Sello;object=firma?pin-source=file:$C/pin"
module=/usr/lib/softhsm/libsofthsm2.so
# while they are made, and beside their place: which files are sealed, and which are not
watch_keys() {
    while [ ! -e "$C/enough" ]; do
        find "$C/c" -name '*.key' -size +0 -exec grep -l ENCRYPTED {} + >>"$C/sealed" 2>/dev/null
        find "$C/c" -name '*.key' -size +0 -exec grep -L ENCRYPTED {} + >>"$C/open" 2>/dev/null
        sleep 0.01
    done
}
watch_keys &
watcher=$!
check "sealed keys and one in a token are enrolled" equal "$(status_of enrol c CO/MUN/800/SS1 Tercera --token "$token" --module $module --passphrase "file:$C/phrase")" 3
c_id=$(sed -n 's/^request //p' "$C/said")
touch "$C/enough"
wait $watcher
check "... of which no byte was on the disk before it was sealed" equal "$(cat "$C/open") $(grep -c keys.enrolling "$C/sealed" | sed 's/^[1-9][0-9]*$/seen/')" " seen"
check "... sealed" equal "$(grep -l 'BEGIN .*ENCRYPTED' "$C"/c/keys/*.key | wc -l) $(test -e "$C/c/keys/sign.key" && echo in a file)" "$(ls "$C"/c/keys/*.key | wc -l) "
configure c CO/MUN/800/SS1
printf 'keys_passphrase = "file:%s"\nsign_key = "%s"\ntoken_module = "%s"\n' "$C/phrase" "$token" $module >>"$C/c/server.conf"
begin c
at ana request prepare "$c_id" >/dev/null || die "not prepared"
at ana approve "$c_id" --yes >/dev/null
at blas approve "$c_id" --yes >/dev/null
check "... and its node serves by itself" wait_for 40 test -s "$C/c/server.ready"
check "... in which no process was killed, by its jail or otherwise" equal "$(grep '"server.process_killed"' "$C/c/server.events")" ""
check "... and it changes what is its own, with the passphrase and the PIN of its settings" contains \
    "$(timeout 60 "$BIN/chaski" subsystem add TRAMITES --name Tramites --config "$C/c/server.conf" 2>&1 </dev/null)" "stands in the directory"
kill "$(cat "$C/c/server.pid")"

# --- the member's own changes -----------------------------------------------------------------------
change() { timeout 60 "$BIN/chaski" "$@" --config "$C/b/server.conf" >"$C/said" 2>&1 </dev/null; }
shown() { "$BIN/chaski-registry" show "$C/store" --json | jq -r "$1"; }
until=$(date -u -d '+30 days' +%F)
D=CO/GOV/899999027/DIVIPOLA
check "a member publishes a service by itself" equal "$(status_of change service add DIVIPOLA/municipios --class open --title Municipios) $(said 'epoch')" "0 1"
check "... which stands in the directory" equal "$(shown ".services[] | select(.id == \"$D/municipios\").class")" open
check "to close it is not for the member alone, and it says whose" equal "$(status_of change service class DIVIPOLA/municipios --class restricted) $(said 'the role approve')" "2 1"
check "a service of another member is none of its" equal "$(status_of change service add CO/MUN/890905211/TRAMITES/x --class open)" 2
check "a subsystem comes" equal "$(status_of change subsystem add CENSO --name Censo)" 0
check "... and goes" equal "$(status_of change subsystem remove CENSO --reason "No se usa")" 0
check "a shared service comes" equal "$(status_of change service add DIVIPOLA/comun --title Comun)" 0
check "... and a grant" equal "$(status_of change grant add G-1 --service $D/comun --consumer CO/MUN/890905211 --legal-basis Ley --until "$until")" 0
check "... not in another's name" equal "$(status_of change grant add G-2 --service CO/MUN/890905211/TRAMITES/x --consumer CO/MUN/890905211 --legal-basis Ley --until "$until")" 1
check "... and it is taken back" equal "$(status_of change grant remove G-1 --reason fin)" 0
check "its addresses change" equal "$(status_of change address set --address "tcp://127.0.0.1:${PORT[b]}" --address "tcp://localhost:${PORT[b]}") $(shown ".servers[] | select(.id == \"$B\").addresses | length")" "0 2"
check "another's key signs nothing for it" contains "$(timeout 30 "$BIN/chaski" subsystem add ROBADO --name x --folder "$C/thief/keys" --anchor "$C/chaski.anchor" --server $B 2>&1 </dev/null)" "not signed"

# --- they exchange ----------------------------------------------------------------------------------
cat >"$C/b/services/all.conf" <<E
service "$D/municipios" { kind = table file = "$ROOT/tools/demo/municipios.csv" key = "cod_municipio" title = "Municipios" }
E
gateway_start b || die "gateway b"
get() { curl -sS --max-time 20 -o "$C/body" -w '%{http_code}' -H "X-Road-Client: CO/MUN/890905211/TRAMITES" "$(gateway_url a)/r1/$D/municipios/05001"; }
exchanges() { [ "$(get)" = 200 ]; }
check "two servers that were given nothing but the anchor exchange" wait_for 20 exchanges

# --- the end of a key -------------------------------------------------------------------------------
check "a member ends its own key" equal "$(status_of change key revoke --reason "Se perdió") $(said 'stands in the directory')" "0 1"
stops() { [ "$(get)" != 200 ]; }
check "... and its peers refuse it" wait_for 20 stops
server_stop a >/dev/null
finish
