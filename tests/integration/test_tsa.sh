#!/bin/bash
# SPDX-License-Identifier: MIT
# The registry on a network, in the eyes of stock tools: openssl ts and curl get and verify time stamps, the
# directory arrives byte for byte, and nothing that is sent to it is answered with anything but a clean status.
. "$(dirname "$0")/lib.sh"
country_make >/dev/null
registry stamp-authority url --url http://127.0.0.1:8080/tsa >/dev/null || die "no address"
publish || die "nothing was published"
TRUST=$C/store/anchor/trust.pem
QUERY='Content-Type: application/timestamp-query'

serve() { # [STORE]: starts it and waits until it answers
    rm -f "$C/ready"
    "$BIN/chaski-registry" serve "${1:-$C/store}" --listen 127.0.0.1:0 --directory "$C/directory" \
        --ready-file "$C/ready" 2>>"$C/serve.events" &
    pid=$!
    pids+=($pid)
    wait_for 20 test -s "$C/ready" || die "it does not start: $(tail -n 1 "$C/serve.events")"
    url=http://$(sed -n 's/^listen=//p' "$C/ready")
    stamp_pid=$(sed -n 's/^stamp_pid=//p' "$C/ready")
}
stop() { kill "$pid"; wait "$pid"; }
fetch() { curl -sS --max-time 20 "$@"; }
status_of() { rm -f "$C/body"; fetch -o "$C/body" -w '%{http_code}' "$@"; }
stamp() { # FILE: asks for a stamp of it with stock tools; leaves $C/tsq and $C/tsr
    openssl ts -query -data "$1" -sha256 -cert -out "$C/tsq" 2>/dev/null
    fetch -f -H "$QUERY" --data-binary @"$C/tsq" "$url/tsa" -o "$C/tsr"
}
serial_of() { openssl ts -reply -in "$C/tsr" -text 2>/dev/null | sed -n 's/^Serial number: //p'; }
refused() { ! "$@"; }

serve
check "it says that it is well" equal "$(fetch "$url/healthz")" ok

# --- time stamps ------------------------------------------------------------------------------------
cp "$C/directory/checkpoint" "$C/data"
check "curl gets a time stamp that openssl made the request for" stamp "$C/data"
check "stock openssl verifies it against the anchor" openssl ts -verify -in "$C/tsr" -queryfile "$C/tsq" -CAfile "$TRUST"
check "in one pipe too" bash -c "openssl ts -query -data '$C/data' -sha256 -cert 2>/dev/null |
    curl -sSf -H '$QUERY' --data-binary @- '$url/tsa' -o '$C/tsr1' && openssl ts -verify -in '$C/tsr1' -data '$C/data' -CAfile '$TRUST'"
openssl ts -reply -in "$C/tsr" -token_out -out "$C/tst" 2>/dev/null
check "... the bare token as well" openssl ts -verify -in "$C/tst" -token_in -data "$C/data" -CAfile "$TRUST"
check "... and as CMS with CAdES attributes" openssl cms -verify -cades -inform DER -in "$C/tst" -CAfile "$TRUST" \
    -purpose timestampsign -out "$C/tstinfo"
printf x >>"$C/data"
check "of a tampered file it is no time stamp" refused openssl ts -verify -in "$C/tsr" -data "$C/data" -CAfile "$TRUST"
"$BIN/chaski-registry" init "$C/foreign" --instance CO --name "Impostor" >/dev/null
check "nor under another anchor" refused openssl ts -verify -in "$C/tsr" -queryfile "$C/tsq" -CAfile "$C/foreign/anchor/trust.pem"
check "the token names our policy" contains "$(openssl ts -reply -in "$C/tsr" -text 2>/dev/null)" "Policy OID: 1.3.6.1.4.1.99999.1"
for digest in sha384 sha512; do
    openssl ts -query -data "$C/data" -$digest -cert -out "$C/tsq" 2>/dev/null
    fetch -f -H "$QUERY" --data-binary @"$C/tsq" "$url/tsa" -o "$C/tsr"
    check "$digest is stamped too" openssl ts -verify -in "$C/tsr" -queryfile "$C/tsq" -CAfile "$TRUST"
done

stamp "$C/data"
first=$(serial_of)
stamp "$C/data"
second=$(serial_of)
check "serial numbers grow" test "$((second))" -gt "$((first))"
kill -9 "$pid"; wait "$pid" 2>/dev/null
check "the process with the key dies with the server" wait_for 5 gone "$stamp_pid"
serve
stamp "$C/data"
check "also after kill -9" test "$(($(serial_of)))" -gt "$((second))"

# --- what is no request -----------------------------------------------------------------------------
check "garbage gets 400" equal "$(status_of -H "$QUERY" --data-binary hola "$url/tsa")" 400
check "... with a rejection that openssl reads" contains "$(openssl ts -reply -in "$C/body" -text 2>/dev/null)" "Status: Rejected"
head -c 30 "$C/tsq" >"$C/torn"
check "so does half a request" equal "$(status_of -H "$QUERY" --data-binary @"$C/torn" "$url/tsa")" 400
openssl ts -query -data "$C/data" -sha1 -cert -out "$C/weak" 2>/dev/null
check "a weak digest is rejected in the body" equal "$(status_of -H "$QUERY" --data-binary @"$C/weak" "$url/tsa")" 200
check "... for its reason" contains "$(openssl ts -reply -in "$C/body" -text 2>/dev/null)" "unrecognized or unsupported algorithm"
head -c 4097 /dev/zero >"$C/large"
head -c 5000000 /dev/zero >"$C/huge"
check "a request over 4 KiB gets 413" equal "$(status_of -H "$QUERY" --data-binary @"$C/large" "$url/tsa")" 413
check "in chunks too" equal "$(status_of -H "$QUERY" -H 'Transfer-Encoding: chunked' --data-binary @"$C/large" "$url/tsa")" 413
check "and one far larger" equal "$(status_of -H "$QUERY" --data-binary @"$C/huge" "$url/tsa")" 413
check "another content type gets 415" equal "$(status_of -H 'Content-Type: text/plain' --data-binary @"$C/tsq" "$url/tsa")" 415
check "GET of the authority gets 405" equal "$(status_of "$url/tsa")" 405
check "POST of a file gets 405" equal "$(status_of --data-binary x "$url/directory/checkpoint")" 405
printf 'no HTTP\r\n\r\n' >"$C/raw"
check "bytes that are no HTTP get 400 or the door" bash -c "! timeout 15 bash -c 'exec 3<>/dev/tcp/127.0.0.1/${url##*:}; cat \"$C/raw\" >&3; cat <&3' | grep -q ' 200 '"
stamp "$C/data"
check "after all this it still stamps" openssl ts -verify -in "$C/tsr" -queryfile "$C/tsq" -CAfile "$TRUST"

# --- the directory ----------------------------------------------------------------------------------
different=$(cd "$C/directory" && find . -type f | sed 's|^\./||' | while read -r name; do
    fetch -f "$url/directory/$name" 2>/dev/null | cmp -s - "$name" || echo "$name"
done)
check "each file of the directory arrives byte for byte" equal "$different" ""
check "there are some" test -s "$C/directory/tile/0/000.p/$(ls "$C/directory/tile/0/000.p" | head -n 1)"
etag=$(fetch -I "$url/directory/checkpoint" | tr -d '\r' | sed -n 's/^[Ee][Tt]ag: //p')
check "a file that is known is not sent again" equal "$(status_of -H "If-None-Match: $etag" "$url/directory/checkpoint")" 304
check "... nor one byte of it" test ! -s "$C/body"
registry purpose add P-2 --title "Otra" --legal-basis "Ley" >/dev/null; publish
check "one that has changed is" equal "$(status_of -H "If-None-Match: $etag" "$url/directory/checkpoint")" 200
check "... as it is now" cmp "$C/body" "$C/directory/checkpoint"
echo secret >"$C/directory/other"; ln -s "$C/store/ca.pem" "$C/directory/tile/entries/999"
for path in other ../store/ca.pem tile/../../store/ca.pem ..%2fstore/ca.pem %2e%2e/store/ca.pem tile/entries tile/entries/ \
    tile/entries/999 checkpoint%00x /checkpoint ''; do
    check "'$path' is not there" equal "$(status_of --path-as-is "$url/directory/$path")" 404
done

# --- bounds and ends --------------------------------------------------------------------------------
exec 4<>"/dev/tcp/127.0.0.1/${url##*:}"
slow() { local i; for ((i = 0; i < 25; i++)); do printf 'G' >&4 2>/dev/null || return 0; sleep 1; done; return 1; }
check "who sends a byte a second is cut off" bash -c "$(declare -f slow); trap '' PIPE; slow" 4>&4
exec 4>&-
check "its key is where it cannot be reached: one descriptor, a socket" \
    equal "$(find "/proc/$stamp_pid/fd" -type l ! -name 0 ! -name 1 ! -name 2 -printf '%l\n' | sed 's/:.*//')" socket
check "both processes are under seccomp" \
    equal "$(awk '/^Seccomp:/ { print $2 }' "/proc/$pid/status" "/proc/$stamp_pid/status" | tr '\n' ' ')" "2 2 "
said=$("$BIN/chaski-registry" serve "$C/store" --listen 127.0.0.1:0 2>&1)
check "a second one on the same store is refused" contains "$said" "being served already"
stop; status=$?
check "SIGTERM ends it with status 0" equal $status 0
mkdir "$C/elsewhere" && mv "$C/store/stamp" "$C/elsewhere/"
serve "$C/elsewhere"
stamp "$C/data"
check "the folder stamp/ is all that it needs" openssl ts -verify -in "$C/tsr" -queryfile "$C/tsq" -CAfile "$TRUST"
kill -9 "$stamp_pid"; wait "$pid"; status=$?
check "when the process with the key dies, it ends with status 1" equal $status 1
check "and says so" contains "$(tail -n 1 "$C/serve.events")" "has gone"
check "no event holds anything but JSON" equal "$(grep -v '^{' "$C/serve.events" | grep -vc '^chaski-registry:')" 0
finish
