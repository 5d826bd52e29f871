#!/bin/bash
# SPDX-License-Identifier: MIT
# The peer that we measure against: wrk -> nginx A -> mutual TLS -> nginx B -> nginx C. It signs and
# records nothing. Sourced by bench.sh; needs nginx and openssl. Everything lives in $CHAIN.
#
#   chain_start FOLDER PORT_A PORT_B PORT_C   starts three nginx; C alone also serves as the agency's
#                                             own service behind our gateway
#   chain_stop

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

# common FOLDER NAME: what all three share
chain_common() {
    echo "worker_processes auto; daemon on; pid $1/$2.pid; error_log $1/$2.error.log warn;"
    echo "events { worker_connections 16384; }"
}

chain_paths() {
    local kind
    for kind in client_body fastcgi uwsgi scgi; do echo "${kind}_temp_path $1/tmp;"; done
    echo "proxy_temp_path $1/tmp;"
}

chain_start() {
    CHAIN=$1
    local a=$2 b=$3 c=$4
    mkdir -p "$CHAIN/tmp" "$CHAIN/www"
    chain_certificates "$CHAIN"
    # 200 bytes of JSON, and larger answers
    printf '{"cod_municipio":"05001","municipio":"MEDELLIN","relleno":"%0*d"}\n' 138 0 >"$CHAIN/www/answer"
    head -c 10240 /dev/zero | tr '\0' x >"$CHAIN/www/answer10k"
    head -c 1048576 /dev/zero | tr '\0' x >"$CHAIN/www/answer1m"
    {
        chain_common "$CHAIN" c
        echo "http { access_log off; keepalive_requests 1000000000; default_type application/json; $(chain_paths "$CHAIN")"
        echo "server { listen 127.0.0.1:$c backlog=4096; root $CHAIN/www; } }"
    } >"$CHAIN/c.conf"
    {
        chain_common "$CHAIN" b
        echo "http { access_log $CHAIN/b.access.log; keepalive_requests 1000000000; $(chain_paths "$CHAIN")"
        echo "upstream c { server 127.0.0.1:$c; keepalive 256; keepalive_requests 1000000000; }"
        echo "server { listen 127.0.0.1:$b ssl backlog=4096; ssl_protocols TLSv1.3;"
        echo "ssl_certificate $CHAIN/b.crt; ssl_certificate_key $CHAIN/b.key;"
        echo "ssl_client_certificate $CHAIN/ca.crt; ssl_verify_client on;"
        echo "location / { proxy_http_version 1.1; proxy_set_header Connection \"\"; proxy_pass http://c; } } }"
    } >"$CHAIN/b.conf"
    {
        chain_common "$CHAIN" a
        echo "http { access_log off; keepalive_requests 1000000000; $(chain_paths "$CHAIN")"
        echo "upstream b { server 127.0.0.1:$b; keepalive 256; keepalive_requests 1000000000; }"
        echo "server { listen 127.0.0.1:$a backlog=4096;"
        echo "location / { proxy_http_version 1.1; proxy_set_header Connection \"\"; proxy_pass https://b;"
        echo "proxy_ssl_certificate $CHAIN/a.crt; proxy_ssl_certificate_key $CHAIN/a.key;"
        echo "proxy_ssl_trusted_certificate $CHAIN/ca.crt; proxy_ssl_verify on; proxy_ssl_name b.bench;"
        echo "proxy_ssl_protocols TLSv1.3; proxy_ssl_session_reuse on; } } }"
    } >"$CHAIN/a.conf"
    local name
    for name in c b a; do nginx -c "$CHAIN/$name.conf" -p "$CHAIN" || return 1; done
}

chain_stop() {
    local name
    for name in a b c; do
        [ ! -s "$CHAIN/$name.pid" ] || kill "$(cat "$CHAIN/$name.pid")" 2>/dev/null || true
    done
}
