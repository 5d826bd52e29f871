#!/bin/bash
# SPDX-License-Identifier: MIT
# The admin interface against its document: each path and method of docs/registry-openapi.json is asked for, with what
# it takes and with everything that it must not take; statuses and bodies are held against what the document says.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/stock.sh"
DOCUMENT=$ROOT/docs/registry-openapi.json
country_make >/dev/null
for who in ana blas eva; do "$BIN/chaski-registry" operator key "$C/$who.key" >"$C/$who.pub" || die "no key"; done
registry operator add eva --name eva --key "$(cat "$C/eva.pub")" --role audit >/dev/null || die "no operator"
for who in ana blas; do
    registry operator add $who --name $who --key "$(cat "$C/$who.pub")" --role enrol --role approve >/dev/null || die "no operator"
done
openssl ecparam -name prime256v1 -genkey -noout -out "$C/nobody.key"
"$BIN/chaski-registry" serve "$C/store" --listen 127.0.0.1:0 --directory "$C/directory" --authority \
    --admin 127.0.0.1:0 --ready-file "$C/ready" 2>>"$C/serve.events" &
pids+=($!)
wait_for 20 test -s "$C/ready" || die "it does not start: $(tail -n 1 "$C/serve.events")"
url=http://$(sed -n 's/^listen=//p' "$C/ready")
admin=https://$(sed -n 's/^admin=//p' "$C/ready")
"$BIN/chaski-registry" anchor "$C/store" --url "$url" --to "$C/chaski.anchor" >/dev/null || die "no anchor"
(printf '302a300506032b656e032100'; jq -r .intake_key "$C/chaski.anchor") | xxd -r -p | openssl pkey -pubin -inform DER -out "$C/intake.pub"
for who in ana blas eva nobody; do openssl req -new -x509 -key "$C/$who.key" -subj "/CN=$who" -days 2 -out "$C/$who.crt" 2>/dev/null; done
refused_equal() { [ "$1" != "$2" ]; }
# ask WHO METHOD PATH [FILE]: the status; $C/body and $C/head. WHO may be stranger, without a certificate
ask() {
    local -a more=()
    [ "$1" = stranger ] || more+=(--cert "$C/$1.crt" --key "$C/$1.key")
    [ $# -lt 4 ] || more+=(-H "Content-Type: application/json" -H "Expect:" --data-binary @"$4")
    [ "$2" != HEAD ] || more+=(--head)
    : >"$C/body"
    curl -sS --max-time 20 --cacert "$C/store/anchor/trust.pem" -X "$2" "${more[@]}" -D "$C/head" -o "$C/body" -w '%{http_code}' "$admin$3" 2>/dev/null
}

# --- the document as a judge ----------------------------------------------------------------------------
cat >"$C/schema.jq" <<'E2'
def deref: if has("$ref") then $doc[0].components.schemas[.["$ref"] | split("/") | last] else . end;
def is_of($t): if $t == "integer" then type == "number" and floor == . else type == $t end;
# what is wrong with a value, in words; nothing when it is as the schema says
def faults($schema; $where):
  . as $v | ($schema | deref) as $s
  | if ($s.type and ($v | is_of($s.type) | not)) then "\($where) is no \($s.type)"
    else
      (select($s.enum and ($s.enum | index([$v]) | not)) | "\($where) is none of its words"),
      (select($s.pattern and ($v | test($s.pattern) | not)) | "\($where) has another form"),
      (select($s.format == "date-time" and ($v | test("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]+)?Z$") | not)) | "\($where) is no time"),
      (select($s.contentEncoding == "base64" and ($v | test("^[A-Za-z0-9+/]*={0,2}$") | not)) | "\($where) is no base64"),
      (select($s.minLength and ($v | length) < $s.minLength) | "\($where) is too short"),
      (select($s.maxLength and ($v | length) > $s.maxLength) | "\($where) is too long"),
      (select($s.minItems and ($v | length) < $s.minItems) | "\($where) has too few"),
      (select($s.maxItems and ($v | length) > $s.maxItems) | "\($where) has too many"),
      (select($s.minProperties and ($v | length) < $s.minProperties) | "\($where) has too few fields"),
      (select($s.maxProperties and ($v | length) > $s.maxProperties) | "\($where) has too many fields"),
      (select($s.type == "object") | ($s.required // [])[] | . as $k | select($v | has($k) | not) | "\($where).\($k) is missing"),
      (select($s.type == "object") | $v | keys[] | . as $k
        | if $s.properties[$k] then ($v[$k] | faults($s.properties[$k]; "\($where).\($k)"))
          elif $s.additionalProperties == false then "\($where).\($k) stands nowhere in the document" else empty end),
      (select($s.type == "array" and $s.items) | $v[] | faults($s.items; "\($where)[]"))
    end;
# out of a good value all that differ from it in one thing that the schema forbids
def spoiled($schema):
  . as $v | ($schema | deref) as $s
  | (if $s.type == "string" then 7 else "x" end),
    (select($s.minLength) | ""),
    (select($s.maxLength) | "x" * ($s.maxLength + 1)),
    (select($s.pattern) | "#"),
    (select($s.contentEncoding == "base64") | "!"),
    (select($s.type == "object") | ($s.required // [])[] as $k | $v | del(.[$k])),
    (select($s.additionalProperties == false) | $v + {something: 1}),
    (select($s.type == "object") | $v | keys[] as $k | $v[$k] | spoiled($s.properties[$k]) | . as $bad | $v + {($k): $bad}),
    (select($s.minItems) | []),
    (select($s.maxItems) | [range($s.maxItems + 1) | $v[0]]),
    (select($s.type == "array") | $v[0] | spoiled($s.items) | [.]);
E2
judge() { jq -n --slurpfile doc "$DOCUMENT" "$(cat "$C/schema.jq") $1" "${@:2}"; }
known='["$ref","additionalProperties","contentEncoding","description","enum","format","items","maxItems","maxLength","maxProperties","minItems","minLength","minProperties","pattern","properties","required","type"]'
check "the judge knows every word that the document judges by" equal \
    "$(jq -c --argjson known "$known" '[.. | objects | select(has("type") or has("$ref")) | select(.type? | type == "string" or . == null) | keys[]] | unique - $known - ["in", "name", "schema"]' \
        <(jq '.components.schemas' "$DOCUMENT"))" "[]"
check "what it judges it can refuse" equal "$(judge '{fault: 7, more: 1} | [faults({"$ref": "#/components/schemas/Fault"}; "")] | length')" 3
check "the interface gives out this very document" equal "$(ask ana GET /admin/v1/openapi.json) $(cmp "$C/body" "$DOCUMENT" && echo same)" "200 same"

operation() { jq -c --arg path "$1" --arg method "$2" ".paths[\$path][\$method]$3" "$DOCUMENT"; }
# answered PATH METHOD STATUS: is the status one of the document's, and $C/body of its schema?
answered() {
    local schema
    schema=$(operation "$1" "$2" ".responses[\"$3\"].content[\"application/json\"].schema")
    [ "$schema" != null ] || { echo "$2 $1: $3 stands nowhere in the document"; return 1; }
    judge '$body[0] | faults($schema; "body")' --slurpfile body "$C/body" --argjson schema "$schema" -r >"$C/faults" || { echo "no JSON: $(head -c 200 "$C/body")"; return 1; }
    [ ! -s "$C/faults" ] || { echo "$2 $1: $(head -n 1 "$C/faults")"; return 1; }
}
good() { # WANTED WHO METHOD PATH FILE: of the path of the document in $path
    local status
    status=$(ask "$2" "${3^^}" "$4" ${5:+"$5"})
    [ "$status" = "$1" ] || { echo "$3 $4: $status: $(head -c 300 "$C/body")"; return 1; }
    answered "$path" "$3" "$status"
}

# --- something to work on -------------------------------------------------------------------------------
propose() { # NAME: a member, as a draft of nobody; its id is printed
    draft "member_set { id: \"CO/GOV/$1\" name: \"$1\" }" || return 1
    jq -n --arg act "$(b64 <"$C/draft")" '{label: "prueba", acts: [$act]}' >"$C/example.$1"
    cut -c 1-16 <(hex_of <"$C/digest")
}
agency medellin
request medellin CO/MUN/890905211/SS1 >"$C/request.1"
request medellin CO/MUN/890905211/SS2 >"$C/request.2"
for i in 1 2; do
    curl -sS -o "$C/sent" -H 'Content-Type: application/json' --data-binary @"$C/request.$i" "$url/enrol/v1/requests"
    eval "request_$i=$(jq -r .id "$C/sent")"
done
first=$(propose UNO) || die "no draft"
equal "$(ask ana POST /admin/v1/proposals "$C/example.UNO")" 201 || die "no proposal: $(cat "$C/body")"
approve=$(low_sign "$C/ana.key")
second=$(propose DOS) || die "no draft"
equal "$(ask ana POST /admin/v1/proposals "$C/example.DOS")" 201 || die "no proposal"
propose TRES >/dev/null || die "no draft"
jq -n --arg id "$first" --arg signature "$approve" '{approvals: [{id: $id, signature: $signature}]}' >"$C/example.approval"
echo '{"reason": "no es de esta entidad"}' >"$C/example.refusal"
echo '{}' >"$C/example.preparation" # ... and with all that it may say, which here it needs not
echo '{"without_voucher": "perdió todas sus llaves"}' >"$C/example.preparation.full"
# the one place where the document's operations meet what this country has: path, method, status, address, body
cat >"$C/examples" <<E2
/admin/v1/state get 200 /admin/v1/state
/admin/v1/openapi.json get 200 /admin/v1/openapi.json
/admin/v1/proposals get 200 /admin/v1/proposals
/admin/v1/proposals post 201 /admin/v1/proposals $C/example.TRES
/admin/v1/proposals/{id} get 200 /admin/v1/proposals/$first
/admin/v1/approvals post 200 /admin/v1/approvals $C/example.approval
/admin/v1/proposals/{id}/refusal post 200 /admin/v1/proposals/$second/refusal $C/example.refusal
/admin/v1/requests get 200 /admin/v1/requests
/admin/v1/requests/{id} get 200 /admin/v1/requests/$request_1
/admin/v1/requests/{id}/preparation post 200 /admin/v1/requests/$request_1/preparation $C/example.preparation
/admin/v1/requests/{id}/refusal post 200 /admin/v1/requests/$request_2/refusal $C/example.refusal
/admin/v1/statuses get 200 /admin/v1/statuses
/admin/v1/statuses post 200 /admin/v1/statuses
E2
check "there is an example for each operation, and none besides" equal "$(cut -d ' ' -f 1,2 "$C/examples" | sort)" \
    "$(jq -r '.paths | to_entries[] | .key as $p | .value | keys[] | "\($p) \(.)"' "$DOCUMENT" | sort)"

# --- who, and how ---------------------------------------------------------------------------------------
head -c 300000 /dev/zero | tr '\0' ' ' >"$C/large"
while read -r path method status place example; do
    for who in stranger nobody; do
        wanted=$([ $who = stranger ] && echo 401 || echo 403)
        check "$method $path is not for $who" good $wanted $who "$method" "$place" "$example"
    done
    if [ "$method" = post ]; then
        check "... nor for who may only look" good 403 eva post "$place" "$example"
    else
        check "... and is for who may only look" good "$status" eva get "$place"
        check "... as HEAD, too" equal "$(ask eva HEAD "$place")" 200
    fi
    case $place in *[0-9a-f]/* | *[0-9a-f]) case $path in *{id}*)
        other=$(sed 's/[0-9a-f]\{16,64\}/&/; s/\([0-9a-f]\{15\}\)[0-9a-f]/\1g/' <<<"$place")
        check "... of one that is not there is 404" good 404 ana "$method" "$other" "$example" ;;
    esac ;; esac
    [ -z "$example" ] || check "... with a body that is too large is 413" good 413 ana "$method" "$place" "$C/large"
done <"$C/examples"
allow() { sed -n 's/^[Aa]llow: *//p' "$C/head" | tr -d '\r ' | tr ',' '\n' | sort | tr '\n' ' '; }
while read -r path place; do
    documented=$(jq -r --arg path "$path" '.paths[$path] | keys[] | ascii_upcase | ., (select(. == "GET") | "HEAD")' "$DOCUMENT" | sort | tr '\n' ' ')
    for method in GET POST PUT DELETE PATCH; do
        case " $documented" in *" $method "*) continue ;; esac
        check "$method $path is no method of it" equal "$(ask ana $method "$place") $(allow)" "405 $documented"
    done
done < <(cut -d ' ' -f 1,4 "$C/examples" | sort -u)
check "nothing is where the document has nothing" equal "$(ask ana GET /admin/v1/)$(ask ana GET /admin/v1/stat)$(ask ana POST /admin/v1/proposals/)" 404404404

# --- what each one takes --------------------------------------------------------------------------------
epoch() { ask ana GET /admin/v1/state >/dev/null; jq -r '"\(.epoch) \(.proposals_waiting) \(.requests_waiting)"' "$C/body"; }
before=$(epoch)
spoil() { # every body that the document forbids is refused, in the document's words
    local count=0 status body schema
    schema=$(operation "$path" "$method" '.requestBody.content["application/json"].schema')
    body=$1
    [ ! -e "$1.full" ] || body=$1.full
    judge '$body[0] | spoiled($schema)' --slurpfile body "$body" --argjson schema "$schema" -c >"$C/spoiled" || return 1
    printf '{"half": \n[]\n{"reason": "a", "reason": "b"}\n' >>"$C/spoiled"
    [ "$(operation "$path" "$method" .requestBody.required)" = false ] || echo >>"$C/spoiled"
    while IFS= read -r body; do
        printf '%s' "$body" >"$C/bad"
        status=$(ask ana "${method^^}" "$place" "$C/bad")
        case $status in 400 | 404) answered "$path" "$method" "$status" || return 1 ;;
        *) echo "$status for $(head -c 200 "$C/bad")"; return 1 ;; esac
        count=$((count + 1))
    done <"$C/spoiled"
    [ $count -gt 7 ] || { echo "only $count were tried"; return 1; }
}
while read -r path method status place example; do
    [ "$(operation "$path" "$method" .requestBody)" != null ] || continue
    check "$method $path takes nothing that the document forbids" spoil "$example"
done <"$C/examples"
check "none of all this has changed anything" equal "$(epoch)" "$before"
while read -r path method status place example; do
    check "$method $path answers as the document says" good "$status" ana "$method" "$place" "$example"
done <"$C/examples"
check "... also once there is everything to be shown" equal "$(for path in /admin/v1/proposals /admin/v1/requests; do good 200 eva get $path || echo bad; done)" ""
check "what was proposed, approved and refused has changed something" refused_equal "$(epoch)" "$before"
finish
