-- SPDX-License-Identifier: MIT
-- chain_sign - ECDSA P-256 bolted on to the nginx chain at both ends, for tests/bench/chain.sh: A signs the request,
-- B verifies it and signs the answer, A verifies that. Signed are method, target and time, and status, length and time:
-- not the bodies, which nginx has not read yet. OpenSSL's calls are prepared as far as they can be: nothing is
-- fetched, parsed or looked up per request, so this is the bolt-on at its best.
local ffi = require "ffi"
ffi.cdef [[
typedef struct evp_pkey_st EVP_PKEY;
typedef struct evp_pkey_ctx_st EVP_PKEY_CTX;
typedef struct bio_st BIO;
typedef struct x509_st X509;
BIO *BIO_new_file(const char *name, const char *mode);
EVP_PKEY *PEM_read_bio_PrivateKey(BIO *bio, EVP_PKEY **out, void *callback, void *data);
X509 *PEM_read_bio_X509(BIO *bio, X509 **out, void *callback, void *data);
EVP_PKEY *X509_get_pubkey(X509 *certificate);
EVP_PKEY_CTX *EVP_PKEY_CTX_new(EVP_PKEY *key, void *engine);
int EVP_PKEY_sign_init(EVP_PKEY_CTX *context);
int EVP_PKEY_sign(EVP_PKEY_CTX *context, unsigned char *signature, size_t *size, const unsigned char *digest, size_t digest_size);
int EVP_PKEY_verify_init(EVP_PKEY_CTX *context);
int EVP_PKEY_verify(EVP_PKEY_CTX *context, const unsigned char *signature, size_t size, const unsigned char *digest, size_t digest_size);
unsigned char *SHA256(const unsigned char *data, size_t size, unsigned char *digest);
]]
local crypto = ffi.load("libcrypto.so.3")
local digest, signature, size = ffi.new("unsigned char[32]"), ffi.new("unsigned char[80]"), ffi.new("size_t[1]")
local own, peer
local self = {}

-- once, before there are workers: as A with a.key and b.crt, as B the other way round
function self.load(key_file, certificate_file)
    local key = crypto.PEM_read_bio_PrivateKey(assert(crypto.BIO_new_file(key_file, "r")), nil, nil, nil)
    local certificate = crypto.PEM_read_bio_X509(assert(crypto.BIO_new_file(certificate_file, "r")), nil, nil, nil)
    own = crypto.EVP_PKEY_CTX_new(key, nil)
    peer = crypto.EVP_PKEY_CTX_new(crypto.X509_get_pubkey(certificate), nil)
    assert(crypto.EVP_PKEY_sign_init(own) == 1 and crypto.EVP_PKEY_verify_init(peer) == 1, "no keys")
end

local function sign(text)
    crypto.SHA256(text, #text, digest)
    size[0] = 80
    if crypto.EVP_PKEY_sign(own, signature, size, digest, 32) ~= 1 then ngx.exit(500) end
    return ngx.encode_base64(ffi.string(signature, size[0]))
end

local function is_signed(text, base64)
    local given = base64 and ngx.decode_base64(base64)
    crypto.SHA256(text, #text, digest)
    return given ~= nil and crypto.EVP_PKEY_verify(peer, given, #given, digest, 32) == 1
end

local function asked(time) return ngx.var.request_method .. " " .. ngx.var.request_uri .. " " .. time end
local function answered(time)
    return ngx.status .. " " .. (ngx.header["Content-Length"] or "-") .. " " .. time
end

function self.sign_request()
    local time = tostring(ngx.now())
    ngx.req.set_header("X-Time", time)
    ngx.req.set_header("X-Sign", sign(asked(time)))
end

function self.verify_request()
    if not is_signed(asked(ngx.var.http_x_time or ""), ngx.var.http_x_sign) then ngx.exit(403) end
end

function self.sign_answer()
    local time = tostring(ngx.now())
    ngx.header["X-Time"] = time
    ngx.header["X-Sign"] = sign(answered(time))
end

-- status and length may not be changed for a body that is on its way: the answer then carries the verdict
function self.verify_answer()
    if not is_signed(answered(ngx.header["X-Time"] or ""), ngx.header["X-Sign"]) then
        ngx.status = 502
        ngx.header["X-Bad-Sign"] = "1"
    end
end

-- what an agency's service does with a large body, here: reads it, keeps nothing
function self.take()
    local left = tonumber(ngx.var.content_length) or 0
    local body = left > 0 and assert(ngx.req.socket())
    local taken = 0
    while taken < left do
        local part = body:receive(math.min(65536, left - taken))
        if not part then ngx.exit(400) end
        taken = taken + #part
    end
    ngx.say(taken)
end

return self
