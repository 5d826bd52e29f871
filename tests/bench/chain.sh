#!/bin/bash
# SPDX-License-Identifier: MIT
# The peers that we measure against: wrk -> nginx A -> mutual TLS -> nginx B -> nginx C. The plain chain signs and
# records nothing; the signing one signs and verifies at both ends (chain_sign.lua), and records nothing either.
# Sourced by bench.sh; needs nginx, its Lua module and openssl. Everything lives in $CHAIN.
#
#   chain_start FOLDER PORT_A PORT_B PORT_C   starts three nginx; C alone also serves as the agency's
#                                             own service behind our gateway
#   chain_sign_start PORT_A PORT_B            then, before the same C: two that sign
#   chain_pids NAME...                        all processes of those: a b c sign_a sign_b
#   chain_stop
CHAIN_NAMES="a b c sign_a sign_b"
CHAIN_LUA_PATH="lua_package_path '$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/?.lua;/usr/share/lua/5.1/?.lua;;';"
CHAIN_MODULES="load_module /usr/lib/nginx/modules/ndk_http_module.so; load_module /usr/lib/nginx/modules/ngx_http_lua_module.so;"

chain_certificates() {
    local dir=$1 name
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=bench-ca \
        -keyout "$dir/ca.key" -out "$dir/ca.crt" 2>/dev/null
    for name in a b; do
        openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$name.bench" \
            -keyout "$dir/$name.key" -out "$dir/$name.csr" 2>/dev/null
        openssl x509 -req -in "$dir/$name.csr" -CA "$dir/ca.crt" -CAkey "$dir/ca.key" -CAcreateserial \
            -days 2 -out "$dir/$name.crt" 2>/dev/null
    done
}

# chain_common NAME [MODULES]: what all share, up to the servers
chain_common() {
    local kind
    echo "${2:-}"
    echo "worker_processes auto; daemon on; pid $CHAIN/$1.pid; error_log $CHAIN/$1.error.log warn; worker_rlimit_nofile 20000;"
    echo "events { worker_connections 16384; }"
    echo "http { keepalive_requests 1000000000; client_max_body_size 2g;"
    for kind in client_body fastcgi uwsgi scgi proxy; do echo "${kind}_temp_path $CHAIN/tmp;"; done
}

# the two words that a proxy to a kept connection needs, and bodies that go through instead of to a file first
CHAIN_PASS='proxy_http_version 1.1; proxy_set_header Connection ""; proxy_request_buffering off; proxy_max_temp_file_size 0;'

chain_b() { # NAME PORT C MODULES LUA_SERVER LUA_LOCATION
    chain_common "$1" "$4"
    echo "access_log $CHAIN/$1.access.log; $5"
    echo "upstream c { server 127.0.0.1:$3; keepalive 1024; keepalive_requests 1000000000; }"
    echo "server { listen 127.0.0.1:$2 ssl backlog=4096; ssl_protocols TLSv1.3;"
    echo "ssl_certificate $CHAIN/b.crt; ssl_certificate_key $CHAIN/b.key;"
    echo "ssl_client_certificate $CHAIN/ca.crt; ssl_verify_client on;"
    echo "location / { $CHAIN_PASS $6 proxy_pass http://c; } } }"
}

chain_a() { # NAME PORT B MODULES LUA_SERVER LUA_LOCATION
    chain_common "$1" "$4"
    echo "access_log off; $5"
    echo "upstream b { server 127.0.0.1:$3; keepalive 1024; keepalive_requests 1000000000; }"
    echo "server { listen 127.0.0.1:$2 backlog=4096;"
    echo "location / { $CHAIN_PASS $6 proxy_pass https://b;"
    echo "proxy_ssl_certificate $CHAIN/a.crt; proxy_ssl_certificate_key $CHAIN/a.key;"
    echo "proxy_ssl_trusted_certificate $CHAIN/ca.crt; proxy_ssl_verify on; proxy_ssl_name b.bench;"
    echo "proxy_ssl_protocols TLSv1.3; proxy_ssl_session_reuse on; } } }"
}

chain_c() { # PORT: what is asked for by GET; what is PUT under /take is read to its end, and its size answered
    chain_common c "$CHAIN_MODULES"
    echo "access_log off; default_type application/json; $CHAIN_LUA_PATH"
    echo "server { listen 127.0.0.1:$1 backlog=4096; root $CHAIN/www;"
    echo "location /take { content_by_lua_block { require('chain_sign').take() } } } }"
}

chain_start() {
    CHAIN=$1
    local a=$2 b=$3 c=$4 name
    CHAIN_C=$c
    mkdir -p "$CHAIN/tmp" "$CHAIN/www"
    chmod 777 "$CHAIN/tmp"
    chain_certificates "$CHAIN"
    # 200 bytes of JSON, and larger answers; the largest takes no room on the disk
    printf '{"cod_municipio":"05001","municipio":"MEDELLIN","relleno":"%0*d"}\n' 138 0 >"$CHAIN/www/answer"
    head -c 10240 /dev/zero | tr '\0' x >"$CHAIN/www/answer10k"
    head -c 1048576 /dev/zero | tr '\0' x >"$CHAIN/www/answer1m"
    truncate -s 1G "$CHAIN/www/answer1g"
    chain_c "$c" >"$CHAIN/c.conf"
    chain_b b "$b" "$c" "" "" "" >"$CHAIN/b.conf"
    chain_a a "$a" "$b" "" "" "" >"$CHAIN/a.conf"
    for name in c b a; do nginx -c "$CHAIN/$name.conf" -p "$CHAIN" || return 1; done
}

chain_sign_start() {
    local name
    lua() { # OWN_KEY PEER: a table of what is signed with which key
        echo "$CHAIN_LUA_PATH init_by_lua_block { require('chain_sign').load('$CHAIN/$1.key', '$CHAIN/$2.crt') }"
    }
    hooks() { # OF_THE_REQUEST OF_THE_ANSWER
        echo "access_by_lua_block { require('chain_sign').$1() } header_filter_by_lua_block { require('chain_sign').$2() }"
    }
    chain_b sign_b "$2" "$CHAIN_C" "$CHAIN_MODULES" "$(lua b a)" "$(hooks verify_request sign_answer)" >"$CHAIN/sign_b.conf"
    chain_a sign_a "$1" "$2" "$CHAIN_MODULES" "$(lua a b)" "$(hooks sign_request verify_answer)" >"$CHAIN/sign_a.conf"
    for name in sign_b sign_a; do nginx -c "$CHAIN/$name.conf" -p "$CHAIN" || return 1; done
}

chain_pids() { # NAME...
    local name
    for name; do cat "$CHAIN/$name.pid" && pgrep -P "$(cat "$CHAIN/$name.pid")"; done
}

chain_stop() {
    local name
    for name in $CHAIN_NAMES; do
        [ ! -s "$CHAIN/$name.pid" ] || kill "$(cat "$CHAIN/$name.pid")" 2>/dev/null || true
    done
}
