#!/bin/bash
# SPDX-License-Identifier: MIT
# The node as a witness over HTTP (C2SP tlog-witness), and its own log as tlog-tiles over HTTP: through the
# gateway's evidence_listen, with curl and openssl; a stranger's port offers nothing else, and gives way to nobody.
. "$(dirname "$0")/lib.sh"
PEER=$OUT/tests/front_peer
CHECKPOINT_MS=200
PUBLISH_MS=300
country_make >/dev/null
member_make a CO/MUN/890905211/SS1 "Medellín" TRAMITES >/dev/null
member_make b CO/GOV/899999027/SS1 "DANE" DIVIPOLA >/dev/null
member_make c CO/GOV/800197268/SS1 "DIAN" RUT >/dev/null
S=CO/GOV/899999027/DIVIPOLA/uno
registry service add $S --class open >/dev/null || die "no service"
evidence_conf() { # NAME MODE: the clerk, and a port for strangers
    cat >>"$C/$1/server.conf" <<X
evidence_front = "ipc://$C/$1/evidence"
evidence_log = $2
X
    cat >>"$C/$1/gateway.conf" <<X
evidence_server = "ipc://$C/$1/evidence"
evidence_listen = {"$HOST:${3:-0}"}
X
}
b_port=$(free_port)
evidence_conf a entries
evidence_conf b tiles "$b_port"
B=http://$HOST:$b_port
# b witnesses the log of a over HTTP only, as if it were an office outside of the bus
registry witness set CO/MUN/890905211/SS1 --outside "$(cat "$C/b/keys/witness.vkey")=$B/witness" --quorum 1 >/dev/null || die "no witness"
# ... and that of c over the mesh, whose checkpoints are made by hand
registry witness set CO/GOV/800197268/SS1 --witness CO/GOV/899999027/SS1 --quorum 1 >/dev/null || die "no witness"
publish

# a log of somebody else, in no directory: made by hand, with openssl
openssl genpkey -algorithm ed25519 -out "$C/office.pem" 2>/dev/null
office=auditoria.gov.example/registro
raw=$(openssl pkey -in "$C/office.pem" -pubout -outform DER 2>/dev/null | tail -c 32 | xxd -p -c 64)
office_id=$({ printf '%s\n\x01' "$office"; echo "$raw" | xxd -r -p; } | sha256sum | cut -c 1-8)
echo "witness_logs = {\"$office+$office_id+$({ printf '\x01'; echo "$raw" | xxd -r -p; } | base64 -w 0)\"}" >>"$C/b/server.conf"
for m in a b; do
    server_start $m || die "server $m: $(tail -n 1 "$C/$m/server.events")"
    gateway_start $m || die "gateway $m: $(tail -n 1 "$C/$m/gateway.events")"
done
A=http://$(sed -n 's/^evidence_listen=//p' "$C/a/gateway.ready")
"$PEER" serve "ipc://$C/b/front" CO/GOV/899999027/DIVIPOLA 2>/dev/null &
pids+=($!)
ask() { timeout 30 "$PEER" ask "ipc://$C/a/front" CO/MUN/890905211/TRAMITES $S "$1" 8 2>/dev/null; }
wait_for 10 sh -c "curl -fsS '$A/log/checkpoint' >/dev/null"
LOG=$C/a/audit/log/1
origin=$(sed -n 1p "$LOG/checkpoint")
cosigned_at() { [ "$(sed -n 2p "$LOG/cosigned" 2>/dev/null || echo 0)" -ge "$1" ] 2>/dev/null; }

# --- a log of the bus is witnessed over HTTP ---
check "exchanges" contains "$(ask 300)" "OK                   300"
check "a node's log is cosigned by a witness that is reached over HTTP" wait_for 25 cosigned_at 601
hash=$(printf %s "$origin" | sha256sum | cut -d ' ' -f 1)
curl -sS "$B/witness/$hash/checkpoint" >"$C/monitored"
check "monitors read what it cosigned" equal "$(sed -n 1p "$C/monitored")" "$origin"
check "... with the log's signature" grep -qF -- "— $origin " "$C/monitored"
vkey=$(cat "$C/b/keys/witness.vkey")
line=$(grep -aF -- "— ${vkey%%+*} " "$C/monitored")
sig=$(echo "${line##* }" | base64 -d | xxd -p -c 200)
echo "302a300506032b6570032100$(echo "$vkey" | cut -d + -f 3- | base64 -d | xxd -p -c 64 | cut -c 3-)" | xxd -r -p >"$C/k"
echo "${sig:24}" | xxd -r -p >"$C/sig"
{ printf 'cosignature/v1\ntime %d\n' "$((16#${sig:8:16}))"; head -n 3 "$C/monitored"; } >"$C/msg"
check "... and its own, which openssl verifies" openssl pkeyutl -verify -pubin -keyform DER -inkey "$C/k" -rawin -in "$C/msg" -sigfile "$C/sig"

# --- each status of tlog-witness, for a log that is in no directory ---
leaf() { { printf '\0'; printf 'hoja-%s' "$1"; } | sha256sum | cut -d ' ' -f 1; }
node() { echo "01$1$2" | xxd -r -p | sha256sum | cut -d ' ' -f 1; }
b64() { echo "$1" | xxd -r -p | base64 -w 0; }
L0=$(leaf 0); L1=$(leaf 1); L2=$(leaf 2)
ROOT1=$L0; ROOT2=$(node "$L0" "$L1"); ROOT3=$(node "$ROOT2" "$L2")
note() { # SIZE ROOT [KEY [ORIGIN]]: a checkpoint, signed
    local text
    printf '%s\n%s\n%s\n' "${4:-$office}" "$1" "$(b64 "$2")" >"$C/text"
    openssl pkeyutl -sign -inkey "${3:-$C/office.pem}" -rawin -in "$C/text" -out "$C/text.sig" 2>/dev/null
    cat "$C/text"
    printf '\n\xe2\x80\x94 %s %s\n' "${4:-$office}" "$({ echo "$office_id" | xxd -r -p; cat "$C/text.sig"; } | base64 -w 0)"
}
request() { # OLD PROOF... -- note on stdin
    local old=$1; shift
    printf 'old %s\n' "$old"
    for hash in "$@"; do printf '%s\n' "$(b64 "$hash")"; done
    printf '\n'; cat
}
add() { curl -sS -o "$C/answer" -D "$C/head" -w '%{http_code}' --data-binary @"$C/request" "${1:-$B}/witness/add-checkpoint"; }
note 1 "$ROOT1" | request 0 >"$C/request"
check "a first checkpoint is cosigned: 200" equal "$(add)" 200
cosignature_ok() {
    local sig; sig=$(sed 's/.* //' "$C/answer" | base64 -d | xxd -p -c 200)
    echo "${sig:24}" | xxd -r -p >"$C/sig"
    { printf 'cosignature/v1\ntime %d\n' "$((16#${sig:8:16}))"; printf '%s\n%s\n%s\n' "$office" "$1" "$(b64 "$2")"; } >"$C/msg"
    openssl pkeyutl -verify -pubin -keyform DER -inkey "$C/k" -rawin -in "$C/msg" -sigfile "$C/sig"
}
check "... by the witness's key" cosignature_ok 1 "$ROOT1"
note 3 "$ROOT3" | request 0 >"$C/request"
check "another old size than was cosigned: 409" equal "$(add)" 409
check "... with the size that was" equal "$(cat "$C/answer")" 1
check "... as text/x.tlog.size" grep -qi '^content-type: text/x.tlog.size' "$C/head"
note 3 "$ROOT3" | request 1 "$L1" "$L1" >"$C/request"
check "a wrong proof: 422" equal "$(add)" 422
note 3 "$ROOT3" | request 1 "$L1" "$L2" >"$C/request"
check "a right one: 200" equal "$(add)" 200
check "... cosigned" cosignature_ok 3 "$ROOT3"
kept=$C/b/audit/witness/$(printf %s "$office" | sha256sum | cut -d ' ' -f 1)
shown() { grep -q "^— ${vkey%%+*} " "$kept"; }
check "what it signed stands on its disk" wait_for 5 shown
written=$(stat -c %y "$kept")
cp "$C/answer" "$C/answer-before"
sleep 1.1 # a cosignature tells its second
note 3 "$ROOT3" | request 3 >"$C/request"
check "the same once more: 200" equal "$(add)" 200
check "... with the same cosignature: nobody keeps the keys busy by repeating" cmp -s "$C/answer" "$C/answer-before"
check "... which is good" cosignature_ok 3 "$ROOT3"
sleep 0.3
check "... and written no second time: nobody keeps its disk busy by repeating" equal "$(stat -c %y "$kept")" "$written"
note 3 "$ROOT2" | request 3 >"$C/request"
check "the same size with another root: 422" equal "$(add)" 422
check "... which the witness's operator hears" grep -q witness.inconsistent_log "$C/b/server.events"
conflicts() { grep -lx "$office" "$C"/b/audit/conflicts/*.checkpoint; }
check "... and both notes are kept" test "$(conflicts | wc -l)" -ge 2
openssl pkey -in "$C/office.pem" -pubout -out "$C/office.pub" 2>/dev/null
forked() { # two notes of one size and two roots, each signed by the log
    local file roots=""
    for file in $(conflicts); do
        [ "$(sed -n 2p "$file")" = 3 ] || continue
        head -n 3 "$file" >"$C/msg"
        grep -aF -- "— $office " "$file" | sed 's/.* //' | base64 -d | tail -c +5 >"$C/sig"
        openssl pkeyutl -verify -pubin -inkey "$C/office.pub" -rawin -in "$C/msg" -sigfile "$C/sig" || return 1
        roots="$roots $(sed -n 3p "$file")"
    done
    [ "$(echo $roots | tr ' ' '\n' | sort -u | tr '\n' ' ')" = "$(printf '%s\n' "$(b64 "$ROOT2")" "$(b64 "$ROOT3")" | sort -u | tr '\n' ' ')" ]
}
check "... of which openssl verifies that one log signed two trees of one size" forked
kept_notes=$(conflicts | wc -l)
add >/dev/null
check "... once, however often they come" equal "$(conflicts | wc -l)" "$kept_notes"
note 1 "$ROOT1" | request 3 >"$C/request"
check "back to a smaller tree: 400" equal "$(add)" 400
openssl genpkey -algorithm ed25519 -out "$C/forger.pem" 2>/dev/null
note 4 "$ROOT3" "$C/forger.pem" | request 3 >"$C/request"
check "signed by somebody else: 403" equal "$(add)" 403
note 1 "$ROOT1" "$C/office.pem" nobody.example/log | request 0 >"$C/request"
check "a log that it does not know: 404" equal "$(add)" 404
note 3 "$ROOT3" >"$C/request"
check "no request: 400" equal "$(add)" 400
: >"$C/request"
check "an empty body: 400" equal "$(add)" 400
head -c 30000 /dev/zero >"$C/request"
check "a body that is too large: 413" equal "$(add)" 413
check "the monitor's name for that log" equal \
    "$(curl -sS "$B/witness/$(printf %s "$office" | sha256sum | cut -d ' ' -f 1)/checkpoint" | sed -n 2p)" 3

# two at once: one goes on from the other or is told the size; never both from the same
R4=$(node "$ROOT2" "$(node "$L2" "$(leaf 3)")"); R4X=$(node "$ROOT2" "$(node "$L2" "$(leaf x)")")
note 4 "$R4" | request 3 "$L2" "$(leaf 3)" "$ROOT2" >"$C/one"
note 4 "$R4X" | request 3 "$L2" "$(leaf x)" "$ROOT2" >"$C/two"
waits="" fds=""
for i in one two; do
    curl -sS -o "$C/$i.answer" -w '%{http_code}\n' --data-binary @"$C/$i" "$B/witness/add-checkpoint" >"$C/$i.status" &
    waits="$waits $!"
done 2>/dev/null
wait $waits
count=$(cat "$C/one.status" "$C/two.status" | grep -c 200)
check "of two forks at once one is cosigned, and one only" equal "$count" 1
before=$(sed -n 2,3p "$C/b/audit/witness/$(printf %s "$office" | sha256sum | cut -d ' ' -f 1)")
server_kill b
server_start b || die "server b: $(tail -n 1 "$C/b/server.events")"
wait_for 20 curl -fsS -o /dev/null "$(gateway_url b)/readyz"
note 1 "$ROOT1" | request 0 >"$C/request"
check "a witness that was killed remembers: 409" wait_for 10 sh -c "[ \"\$(curl -sS -o '$C/answer' -w '%{http_code}' --data-binary @'$C/request' $B/witness/add-checkpoint)\" = 409 ]"
check "... the size that it had" equal "$(cat "$C/answer")" "$(echo "$before" | head -n 1)"

# --- the log itself, over the mesh, goes before strangers ---
vkey_c=$(cat "$C/c/keys/log.vkey")
origin_c=${vkey_c%%+*}
id_c=$(echo "$vkey_c" | cut -d + -f 2)
note_c() { office_id=$id_c note "$1" "$2" "$C/c/keys/log.key" "${3:-$origin_c}"; }
mesh_c() { # FILE: c asks b, over the mesh
    timeout 40 "$OUT/tests/set_liar" ask "tcp://$HOST:${MESH_PORT[b]}" "$C/c/keys" CO/GOV/800197268/SS1 "$C/directory" \
        "$C/store/anchor/trust.pem" "$C/store/anchor/directory.vkey" CO/GOV/899999027/SS1 "checkpoint:$1" 2>&1 | grep -m 1 '^status'
}
note_c 1 "$ROOT1" | request 0 >"$C/c1"
note_c 2 "$ROOT2" | request 1 "$L1" >"$C/c2"
note_c 3 "$ROOT3" | request 2 "$L2" >"$C/c3"
check "a log of the bus is cosigned over the mesh" equal "$(mesh_c "$C/c1")" "status 200"
keys_of_b=$(for p in $(ps -o pid= --ppid "$(cat "$C/b/server.pid")"); do
    [ "$(cat "/proc/$p/comm" 2>/dev/null)" = chaski-keys ] && echo "$p"; done)
kill -STOP "$keys_of_b" # so that what a stranger has begun goes on for a while
for i in 1 2 3; do # the head that c has just published; one is under way, one waits
    curl -sS -o /dev/null -w '%{http_code}\n' --data-binary @"$C/c2" "$B/witness/add-checkpoint" >"$C/stranger.$i" &
    strangers[i]=$!
    sleep 0.2
done
mesh_c "$C/c3" >"$C/of-the-log" &
asking=$!
sleep 0.7
check "a log that asks while a stranger does so in its name is not sent away" test ! -s "$C/of-the-log"
kill -CONT "$keys_of_b"
wait "$asking" "${strangers[@]}"
check "... but is the next one to be cosigned" equal "$(cat "$C/of-the-log")" "status 200"
check "... and strangers are sent away instead" equal "$(cat "$C"/stranger.? | paste -sd ' ')" "200 503 503"

# --- an epoch that is over ---
base_c=${origin_c%/1}
key_c2="$base_c/2"
id_c=$({ printf '%s\n\x01' "$key_c2"; echo "$vkey_c" | cut -d + -f 3- | base64 -d | tail -c 32; } | sha256sum | cut -c 1-8)
note_c 1 "$ROOT1" "$key_c2" | request 0 >"$C/request"
check "the next epoch of a log is cosigned" equal "$(add)" 200
closed() { cat "$C/b/server.events" | grep -c '"event":"witness.closed_epoch"'; }
id_c=$(echo "$vkey_c" | cut -d + -f 2)
note_c 4 "$ROOT3" | sed '$s/.\{9\}$/AAAAAAAA=/' | request 3 >"$C/request"
check "the one before no more: 404" equal "$(add)" 404
check "... of which nothing is said when the log has not signed it" equal "$(closed)" 0
note_c 3 "$ROOT3" | request 3 >"$C/request"
for i in $(seq 60); do add; echo; done | sort | uniq -c >"$C/added"
check "the log's own head is told of" test "$(closed)" -ge 1
requests=$(printf -- '--next -sS -o /dev/null --data-binary @%s %s ' $(for i in $(seq 200); do echo "$C/request" "$B/witness/add-checkpoint"; done))
curl -sS -o /dev/null --data-binary @"$C/request" "$B/witness/add-checkpoint" $requests
sleep 1.2
check "... a bounded number of times, and how often it was not said is" grep -q '"event.left_out","of":"witness.closed_epoch"' "$C/b/server.events"

# --- the log as tlog-tiles ---
get() { curl -sS --path-as-is -o "$C/got" -D "$C/head" -w '%{http_code}' "$1"; }
check "the checkpoint" equal "$(get "$A/log/checkpoint")" 200
check "... as it stands on disk" equal "$(sed -n 1,3p "$C/got")" "$(sed -n 1,3p "$LOG/checkpoint")"
check "... is not to be kept" grep -qi '^cache-control: no-cache' "$C/head"
check "a full tile" equal "$(get "$A/log/tile/0/000")" 200
check "... byte for byte" cmp "$C/got" "$LOG/tile/0/000"
check "... for ever" grep -qi '^cache-control: public, max-age=31536000, immutable' "$C/head"
check "... of its type" grep -qi '^content-type: application/octet-stream' "$C/head"
partial=$(cd "$LOG" && ls -d tile/0/*.p/* | tail -n 1)
check "a partial tile" equal "$(get "$A/log/$partial")" 200
check "... byte for byte" cmp "$C/got" "$LOG/$partial"
check "a bundle of entries" equal "$(get "$A/log/tile/entries/001")" 200
check "... byte for byte" cmp "$C/got" "$LOG/tile/entries/001"
check "a tile that is not there" equal "$(get "$A/log/tile/0/999")" 404
check "HEAD" equal "$(curl -sS -I -o "$C/got" -w '%{http_code}' "$A/log/tile/0/000")" 200
check "hashes without entries, when the settings say so" equal "$(get "$B/log/tile/entries/000")" 404
check "... but hashes" equal "$(get "$B/log/checkpoint")" 200
fetch_log() { # the whole log, as a tlog client fetches it, into a folder
    local size n w
    mkdir -p "$C/mirror/tile/0" "$C/mirror/tile/entries"
    get "$A/log/checkpoint" >/dev/null; cp "$C/got" "$C/mirror/checkpoint"
    size=$(sed -n 2p "$C/mirror/checkpoint")
    for ((n = 0; n * 256 < size; n++)); do
        w=$((size - n * 256)); name=$(printf %03d $n)
        [ $w -ge 256 ] || name=$name.p/$w
        for kind in entries 0; do
            mkdir -p "$(dirname "$C/mirror/tile/$kind/$name")"
            [ "$(get "$A/log/tile/$kind/$name")" = 200 ] || return 1
            cp "$C/got" "$C/mirror/tile/$kind/$name"
        done
    done
    w=$((size / 256)); mkdir -p "$C/mirror/tile/1/000.p"
    [ "$(get "$A/log/tile/1/000.p/$w")" = 200 ] && cp "$C/got" "$C/mirror/tile/1/000.p/$w"
}
check "the whole log is fetched with curl alone" fetch_log
check "... and is a log, by an independent checker" bash "$ROOT/tests/tools/tlog_check.sh" "$C/mirror" "$(cat "$C/a/keys/log.vkey")"

# --- what else a stranger tries ---
for path in /log/../promise /log/..%2fpromise /log/tile/../checkpoint /log//checkpoint /log/wal /log/promise \
    /log/tile/entries/000/../001 /log/tile/0/000.p/256 /log/tile/0/0 /log/tile/64/000 /log/tile/0/000%00 /log/cp/1 \
    /log/stamped /log/authority.pem /witness/ /witness/x/checkpoint /witness/../anchor/trust.pem "/log/checkpoint?x=1" \
    "/witness/$hash" "/witness/$hash/" "/witness/${hash^^}/checkpoint" "/log/tile/$(printf 'x%.0s' {1..4000})" \
    /r1/$S /asic /verificationconf /metrics /healthz /readyz /; do
    status=$(get "$A$path")
    check "nothing at ${path:0:60}" equal "$status" 404
done
check "no exchange from a stranger's port" equal "$(curl -sS -o "$C/got" -w '%{http_code}' -H 'X-Road-Client: CO/MUN/890905211/TRAMITES' "$A/r1/$S")" 404
check "nothing can be put there" equal "$(curl -sS -X PUT -d x -o /dev/null -w '%{http_code}' "$A/log/checkpoint")" 405
check "nothing of it on the agencies' port" equal "$(get "$(gateway_url a)/log/checkpoint")" 404
check "... nor the witness" equal "$(curl -sS -o /dev/null -w '%{http_code}' --data-binary @"$C/request" "$(gateway_url a)/witness/add-checkpoint")" 404

# many at once who say nothing: others are answered all the same, and so are the agencies
port=${A##*:}
for ((i = 0; i < 60; i++)); do exec {fd}<>"/dev/tcp/$HOST/$port" && fds="$fds $fd"; done 2>/dev/null
printf 'POST /witness/add-checkpoint HTTP/1.1\r\nHost: x\r\nContent-Length: 9000\r\n\r\nold ' >&"$fd"
check "with idle strangers a tile is read" equal "$(get "$A/log/tile/0/000")" 200
check "... and exchanges go on" contains "$(ask 10)" "OK                   10"
for fd in $fds; do exec {fd}>&-; done

# the clerk is killed: it comes back, and nothing else has noticed
clerk() { local p; for p in $(ps -o pid= --ppid "$(cat "$C/a/server.pid")"); do
    [ "$(cat "/proc/$p/comm" 2>/dev/null)" = chaski-clerk ] && echo "$p"; done; }
kill -9 "$(clerk)"
check "without the clerk exchanges go on" contains "$(ask 10)" "OK                   10"
check "the clerk comes back" wait_for 20 sh -c "curl -fsS -m 12 '$A/log/checkpoint' >/dev/null"
check "the server stops as asked" server_stop a
wait_for 10 sh -c "curl -fsS '$B/witness/$hash/checkpoint' >/dev/null"
sed -i 's/^start_check_ms = .*/start_check_ms = 5000/' "$C/a/server.conf"
server_start a || die "server a: $(tail -n 1 "$C/a/server.events")"
check "a start of the log hears what its witness shows over HTTP" said_since_start a '"start.outside_checked","asked":1,"answered":1'
quiet() { ! said_since_start a "outside.witness_not_heard\|outside.witness_holds_nothing"; }
check "... which is a head of this log" quiet
for m in a b; do gateway_stop $m; done
check "all stop as asked" servers_stop a b
check "the logs verify" "$BIN/chaski-audit" verify "$C/a/audit" "$C/b/audit" \
    --store-key "$C/a/keys/store.key" --store-key "$C/b/keys/store.key"
finish
