#!/bin/bash
# SPDX-License-Identifier: MIT
# The registry on a network: operators propose and approve over HTTPS, members change what is theirs, the
# directory is published at once and says every minute that it is the newest; and a registry that is
# killed at any moment goes on where it was.
. "$(dirname "$0")/lib.sh"
refused() { ! "$@"; }
country_make >/dev/null
for who in ana blas caro dina; do
    "$BIN/chaski-registry" operator key "$C/$who.key" >"$C/$who.pub" || die "no key"
done
person() { registry operator add "$1" --name "$1" --key "$(cat "$C/$1.pub")" "${@:2}" >/dev/null; }
person caro --role audit || die "no auditor"
person dina --role publish || die "no publisher"
person ana --role enrol --role approve --role publish || die "no operator"
person blas --role approve --role revoke || die "no operator"

serve() { # starts it and waits until it answers
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
stop() { kill "$pid"; wait "$pid"; }
kill_it() { kill -9 "$pid"; wait "$pid" 2>/dev/null; wait_for 5 gone "$authority_pid"; }
serve
"$BIN/chaski-registry" anchor "$C/store" --url "$url" --push 'tcp://127.0.0.1:9' --to "$C/chaski.anchor" >/dev/null || die "no anchor"
at() { # OPERATOR WORDS...: the command at the registry
    "$BIN/chaski-registry" "${@:2}" --at "$admin" --anchor "$C/chaski.anchor" --as "$C/$1.key"
}
for who in ana blas caro dina; do # what curl shows to the registry
    openssl req -new -x509 -key "$C/$who.key" -subj "/CN=$who" -days 2 -out "$C/$who.crt" 2>/dev/null
done
ask() { # OPERATOR PATH CURL-WORDS...: leaves $C/body; says the status
    rm -f "$C/body"
    curl -sS --max-time 20 --cacert "$C/store/anchor/trust.pem" --cert "$C/$1.crt" --key "$C/$1.key" \
        -o "$C/body" -w '%{http_code}' "${@:3}" "$admin$2" 2>/dev/null
}
epoch() { sed -n 2p "$C/directory/checkpoint"; }
member_there() { "$BIN/chaski-registry" show "$C/store" --json | jq -e --arg id "$1" '.members[] | select(.id == $id)' >/dev/null; }

# --- processes --------------------------------------------------------------------------------------
check "the authority's process is under seccomp" equal "$(awk '/^Seccomp:/ { print $2 }' "/proc/$authority_pid/status")" 2
sockets() { find "/proc/$authority_pid/fd" -type l -printf '%l\n' | grep -c ^socket; }
check "... and has one socket, its line" equal "$(sockets)" 1
check "while it runs no command changes the store" contains \
    "$(registry member add CO/GOV/9 --name Nueve 2>&1)" "another command is at work"

# --- who may enter ----------------------------------------------------------------------------------
check "an operator is recognized by the key" equal "$(ask ana /admin/v1/state)" 200
check "... and told the roles" equal "$(jq -r '"\(.operator) \(.roles | join(","))"' "$C/body")" "ana enrol,approve,publish"
openssl ecparam -name prime256v1 -genkey -noout -out "$C/eva.key"
openssl req -new -x509 -key "$C/eva.key" -subj /CN=ana -days 2 -out "$C/eva.crt"
check "another key with an operator's name is turned away" equal "$(ask eva /admin/v1/state)" 403
openssl req -new -newkey rsa:2048 -nodes -keyout "$C/rsa.key" -x509 -subj /CN=ana -days 2 -out "$C/rsa.crt" 2>/dev/null
check "so is a key of another kind" equal "$(ask rsa /admin/v1/state)" 403
check "nobody without a certificate enters" equal \
    "$(curl -sS --cacert "$C/store/anchor/trust.pem" -o /dev/null -w '%{http_code}' "$admin/admin/v1/state")" 401
check "nor with an older TLS" refused curl -sS --tls-max 1.2 --cacert "$C/store/anchor/trust.pem" --cert "$C/ana.crt" \
    --key "$C/ana.key" "$admin/admin/v1/state"
check "that is told without a name" contains "$(grep admin.denied "$C/serve.events" | head -n 1)" ACCESS_DENIED
check "who audits may look" equal "$(ask caro /admin/v1/proposals)" 200
check "... and not act" equal "$(ask caro /admin/v1/proposals --json '{"label":"x","acts":["AAAA"]}')" 403

# --- proposals --------------------------------------------------------------------------------------
before=$(epoch)
said=$(at ana member add CO/GOV/1 --name Uno --public)
id=${said:0:16}
check "an act of one operator waits for another" contains "$said" "waits with 1 approval; it needs two operators"
check "... and changes nothing" equal "$(epoch)" "$before"
check "it is on disk before it is acknowledged" test -s "$C/store/proposals/$id.json"
check "the list shows it in words" contains "$(at blas proposals)" "member CO/GOV/1 (new): Uno, a public agency"
check "the same proposal again is the same" equal "$(jq -r .draft <(ask ana "/admin/v1/proposals/$id" >/dev/null; cat "$C/body") >"$C/draft"
    ask ana /admin/v1/proposals --json "{\"label\":\"\",\"acts\":[\"$(cat "$C/draft")\"]}" >/dev/null; jq -r '.proposals[0].id' "$C/body")" "$id"
check "who says no approves nothing" refused at blas approve "$id" <<<no
check "one who approves twice is one" contains "$(at ana approve "$id" --yes)" "waits with 1 approval"
said=$(at blas approve "$id" <<<yes)
check "the second one sees it in words before signing" contains "$said" "$id  member CO/GOV/1 (new): Uno, a public agency"
check "... and it is carried out" contains "$said" "carried out, epoch"
check "... and published at once" member_there CO/GOV/1
check "the head is of that epoch" test "$(epoch)" -gt "$before"
check "what was carried out cannot be approved again" contains "$(at blas approve "$id" --yes 2>&1)" "was carried out"
check "a role that suffices alone needs nobody else" contains "$(at ana purpose add P-2 --title Dos --legal-basis Ley)" "carried out"
check "an act that makes no sense is not even proposed" contains \
    "$(at ana subsystem add CO/GOV/77/X --name X --server CO/GOV/77/SS1 2>&1)" "refused"
said=$(at ana member add CO/GOV/2 --name Dos)
check "a proposal is refused with a reason" contains "$(at blas refuse "${said:0:16}" --reason "No existe")" "refused by blas: No existe"
check "... and stays so" contains "$(at blas approve "${said:0:16}" --yes 2>&1)" "No existe"
printf 'member add CO/GOV/11 --name Once\nmember add CO/GOV/12 --name Doce\n' >"$C/batch"
at ana batch "$C/batch" --label lote >/dev/null
check "a batch is approved by its name" equal "$(at blas approve lote --yes | grep -c 'carried out')" 2
check "... in one publication" equal "$("$BIN/chaski-registry" show "$C/store" --json | jq '[.members[] | select(.id | test("/1[12]$"))] | length')" 2
# what needs one approval, and leans on what needs two
printf 'member add CO/GOV/14 --name Catorce\ngroup add G-14 --title Grupo --member CO/GOV/14\n' >"$C/batch"
said=$(at ana batch "$C/batch" --label apoyo)
check "what leans on an act that waits waits for it, and that is no failure" equal \
    "$(grep -c "approved; waits for another approval, that of ${said:0:16} in front of it; until then: " <<<"$said") $(grep -c "could not" <<<"$said")" "1 0"
at blas approve "${said:0:16}" --yes >/dev/null
check "... and follows it by itself" equal "$("$BIN/chaski-registry" show "$C/store" --json | jq '[.groups[] | select(.id == "G-14")] | length')" 1

# --- first digits, and who may say no -----------------------------------------------------------------
said=$(at ana member add CO/GOV/15 --name Quince)
id=${said:0:16}
check "the first digits of an ID are enough" contains "$(at blas approve "${id:0:8}" --yes)" "$id  member CO/GOV/15 (new): Quince"
check "... not so few that they are guessed" contains "$(at blas approve "${id:0:7}" --yes 2>&1)" "at least the first 8"
check "... and what does not wait is not meant" contains "$(at blas approve "${id:0:8}" --yes 2>&1)" "no proposal is called"
said=$(at ana member add CO/GOV/16 --name Dieciseis)
id=${said:0:16}
check "who could not approve an act does not refuse it" equal \
    "$(ask dina "/admin/v1/proposals/$id/refusal" --json '{"reason":"No quiero"}') $(jq -r .detail "$C/body" | grep -c 'with the role approve, or by ana, who proposed it')" "403 1"
check "... and it waits on" contains "$(at blas proposals | grep -A 1 "$id")" "waits with 1 approval"
check "who could approve it does" contains "$(at blas refuse "${id:0:8}" --reason "Ya existe")" "refused by blas: Ya existe"
said=$(at dina member add CO/GOV/17 --name Diecisiete)
check "who proposed an act takes it back" contains "$(at dina refuse "${said:0:16}" --reason "Me equivoqué")" "refused by dina"
said=$(at ana member add CO/GOV/18 --name Dieciocho)
at ana member add CO/GOV/19 --name Diecinueve --label "${said:0:8}$(printf '%056d' 0)" >/dev/null
check "digits that can mean two things mean neither" contains "$(at blas approve "${said:0:8}" --yes 2>&1)" "more than one that waits begins with ${said:0:8}"
check "a reason that is read backwards is none" contains "$(at blas refuse "${said:0:16}" --reason $'No \u202eon' 2>&1)" "a refusal has a reason"
check "garbage is no proposal" equal "$(ask ana /admin/v1/proposals --json '{"label":"x","acts":["AAAA"]}')" 400
check "... nor is half a JSON" equal "$(ask ana /admin/v1/proposals --json '{"label":"x"')" 400
check "... nor a field that is not known" equal "$(ask ana /admin/v1/proposals --json '{"label":"x","acts":["AAAA"],"y":1}')" 400
check "what is too large is refused" equal "$(head -c 400000 /dev/zero | tr '\0' x | ask ana /admin/v1/proposals --data-binary @-)" 413
sig=$(openssl dgst -sha256 -sign "$C/blas.key" "$C/batch" | base64 -w 0)
said=$(at ana member add CO/GOV/13 --name Trece)
check "a signature over something else approves nothing" equal \
    "$(ask blas /admin/v1/approvals --json "{\"approvals\":[{\"id\":\"${said:0:16}\",\"signature\":\"$sig\"}]}")" 400

# --- the document -----------------------------------------------------------------------------------
check "the interface describes itself" equal "$(ask ana /admin/v1/openapi.json; cmp "$C/body" "$ROOT/docs/registry-openapi.json")" 200
# keys_of SCHEMA: those that must, and those that may be there
fits() { # SCHEMA FILTER: each object that the filter finds in $C/body has the keys of the schema
    jq -e --slurpfile doc "$ROOT/docs/registry-openapi.json" --arg schema "$1" \
        "\$doc[0].components.schemas[\$schema] as \$s | [$2] | length > 0 and all(.[]; (keys - (\$s.properties | keys)) == [] and
         (\$s.required - keys) == [] and all(to_entries[]; .value as \$v | \$s.properties[.key] | (.type // \"object\") as \$t |
         (\$t == (\$v | type)) or (\$t == \"integer\" and (\$v | type) == \"number\")))" "$C/body" >/dev/null
}
ask ana /admin/v1/state >/dev/null
check "the state is as described" fits State .
ask ana /admin/v1/proposals >/dev/null
check "so are proposals" fits Proposal '.proposals[]'
check "... and their page" fits ProposalPage .
ask ana /admin/v1/proposals/0000000000000000 >/dev/null
check "... and a fault" fits Fault .

# --- heartbeat and publication ----------------------------------------------------------------------
check "a heartbeat names the newest head" equal "$(curl -sS "$url/directory/heartbeat" | head -n 3)" "$(head -n 3 "$C/directory/checkpoint")"
check "... and the time" test "$(($(date +%s) - $(curl -sS "$url/directory/heartbeat" | sed -n 's/^time //p')))" -lt 65
mkdir "$C/mirror"
check "a static copy is the directory" cmp <(curl -sS "$url/directory/checkpoint") "$C/directory/checkpoint"

# --- killed -----------------------------------------------------------------------------------------
said=$(at ana member add CO/GOV/21 --name Veintiuno)
waiting=${said:0:16}
kill_it
serve
check "what waited still waits after a kill" contains "$(at blas proposals)" "$waiting"
check "... and is carried out" contains "$(at blas approve "$waiting" --yes)" "carried out"
bad=0
for ((i = 0; i < 12; i++)); do # at some moment of proposing, approving, carrying out, publishing
    (
        said=$(at ana member add "CO/GOV/3$i" --name "Tres $i" 2>/dev/null)
        at blas approve "${said:0:16}" --yes >/dev/null 2>&1
    ) &
    sleep "0.$((RANDOM % 20 + 2))"
    kill_it
    wait $! 2>/dev/null
    serve
    [ "$("$BIN/chaski-registry" show "$C/store" --json | jq .acts)" = "$(epoch)" ] || bad=1
done
check "killed at any moment it publishes all that its store has" equal $bad 0
at blas proposals --json >"$C/list"
check "... and no act is lost or done twice" equal "$(jq '[.[] | select(.state == "carried_out") | .epoch] | (length - (unique | length))' "$C/list")" 0
for id in $(jq -r '.[] | select(.state == "waiting" and (.label == "member add") and (.act | test("Tres"))) | .id' "$C/list"); do
    at blas approve "$id" --yes >/dev/null
done
check "... what still waits can be approved" equal \
    "$(at blas proposals --json | jq '[.[] | select(.state == "waiting" and (.act | test("Tres")))] | length')" 0
kill -9 "$authority_pid"
check "without the authority's process it ends" wait_for 10 gone "$pid"
wait "$pid" 2>/dev/null
serve
stop; status=$?
check "asked to end, it does so" equal $status 0
check "the store is sound" "$BIN/chaski-registry" show "$C/store"
rm -rf "$C/older"; cp -r "$C/store" "$C/older"
registry purpose add P-9 --title Nueve --legal-basis Ley --as "$C/ana.key" >/dev/null && registry publish --to "$C/directory" >/dev/null
mv "$C/store" "$C/newer"; mv "$C/older" "$C/store"
"$BIN/chaski-registry" serve "$C/store" --listen 127.0.0.1:0 --directory "$C/directory" --authority 2>"$C/old.events"; status=$?
check "an old copy of the store is refused" contains "$(cat "$C/old.events")" "the store is an old copy"
check "... with a failure" equal $status 1
finish
