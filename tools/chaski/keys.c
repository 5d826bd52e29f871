// SPDX-License-Identifier: MIT
/* chaski keys: makes a server's keys and its request for enrolment; takes the certificate in. */
#include "tools/chaski/commands.h"

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/bus/bus_id.h"
#include "lib/bus/store_key.h"
#include "lib/crypto/certificate.h"
#include "lib/crypto/keypair.h"
#include "lib/crypto/note.h"
#include "lib/net/socket.h"

#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define PATH_BYTES 512

struct options {
    const char *folder, *server, *name, *request, *certificate;
    const char *address[DIRECTORY_ADDRESSES_MAX];
    size_t addresses;
};

/* What the authority needs to know, and nothing secret. */
struct public_part {
    char vkey[512], witness_vkey[512];
    char transport[65], seal[65];
    struct bytes *request;
};

static fault path_in(const char *folder, const char *name, char out[PATH_BYTES])
{
    return text_format(out, PATH_BYTES, "%s/%s", folder, name)
               ? DONE
               : RAISE(BAD_REQUEST, "the folder's name is too long");
}

static fault make_key(const char *folder, const char *name, enum key_kind kind,
                      struct keypair **out)
{
    char path[PATH_BYTES];
    OWNED(keypair) key = NULL;
    TRY(path_in(folder, name, path));
    TRY(keypair_make(kind, &key));
    TRY(keypair_save(key, path));
    *out = TAKE(key);
    return DONE;
}

/* A note's name holds neither blank nor '+'; the identifier's text may hold a '+'. */
static void name_of(const char *what, const char *server, char *out, size_t room)
{
    size_t size = (size_t)snprintf(out, room, "%s/", what);
    for (; *server != '\0' && size + 6 < room; server++) {
        if (*server == '+')
            size += (size_t)snprintf(out + size, room - size, "%%2B");
        else
            out[size++] = *server;
    }
    out[size] = '\0';
}

/* An Ed25519 key with its verifier key beside it; `file` without its ending. */
static fault make_note_key(const struct options *options, const char *file, const char *name,
                           uint8_t type, char *vkey_out, size_t room)
{
    OWNED(keypair) key = NULL;
    OWNED(bytes) public_key = NULL;
    struct note_key vkey;
    char path[PATH_BYTES], part[32], line[520];
    text_format(part, sizeof part, "%s.key", file);
    TRY(make_key(options->folder, part, KEY_ED25519, &key));
    TRY(keypair_public(key, &public_key));
    TRY(note_key_make(name, type, public_key->data, &vkey));
    note_key_text(&vkey, vkey_out, room);
    text_format(line, sizeof line, "%s\n", vkey_out);
    text_format(part, sizeof part, "%s.vkey", file);
    TRY(path_in(options->folder, part, path));
    return file_replace(path, span_of_text(line), 0644);
}

static fault make_log_keys(const struct options *options, struct public_part *out)
{
    char name[NOTE_NAME_BYTES_MAX];
    name_of("chaski.log", options->server, name, sizeof name);
    if (!text_format(name + strlen(name), sizeof name - strlen(name), "/1"))
        return RAISE(BAD_REQUEST, "--server is too long for a log's name");
    TRY(make_note_key(options, "log", name, NOTE_LOG, out->vkey, sizeof out->vkey));
    name_of("chaski.witness", options->server, name, sizeof name);
    return make_note_key(options, "witness", name, NOTE_WITNESS, out->witness_vkey,
                         sizeof out->witness_vkey);
}

static fault make_transport_key(const struct options *options, struct public_part *out)
{
    struct curve_keys keys;
    char path[PATH_BYTES];
    TRY(path_in(options->folder, "transport.key", path));
    curve_make(&keys);
    fault f = curve_save(&keys, path);
    text_hex(span_of(keys.public_key, CURVE_KEY_BYTES), out->transport, sizeof out->transport);
    explicit_bzero(&keys, sizeof keys);
    return f;
}

static fault make_seal_key(const struct options *options, struct public_part *out)
{
    OWNED(keypair) key = NULL;
    OWNED(bytes) public_key = NULL;
    TRY(make_key(options->folder, "seal.key", KEY_X25519, &key));
    TRY(keypair_public(key, &public_key));
    text_hex(bytes_span(public_key), out->seal, sizeof out->seal);
    return DONE;
}

static fault make_store_key(const struct options *options)
{
    char path[PATH_BYTES];
    TRY(path_in(options->folder, STORE_KEY_FILE, path));
    return store_key_make(path);
}

static fault make_signing_key(const struct options *options, const struct bus_id *server,
                              struct public_part *out)
{
    OWNED(keypair) key = NULL;
    struct certificate_subject subject = {.country = ""};
    char member[ID_TEXT_BYTES_MAX + 1];
    bus_id_text(server, ID_MEMBER, member, sizeof member);
    if (strlen(server->part[0]) == 2)
        memcpy(subject.country, server->part[0], 3);
    text_format(subject.organisation, sizeof subject.organisation, "%s", options->name);
    if (!text_format(subject.member, sizeof subject.member, "%s", member) ||
        !text_format(subject.server, sizeof subject.server, "%s",
                     strrchr(options->server, '/') + 1))
        return RAISE(BAD_REQUEST, "--server is too long for a certificate");
    TRY(make_key(options->folder, "sign.key", KEY_P256, &key));
    return keypair_request(key, &subject, &out->request);
}

static fault write_request(const struct options *options, const struct public_part *part)
{
    size_t room = part->request->size * 2 + 16;
    char *base64 = owned_array(room, 1);
    text_base64(bytes_span(part->request), base64, room);
    json_t *addresses = json_array();
    for (size_t i = 0; i < options->addresses; i++)
        json_array_append_new(addresses, json_string(options->address[i]));
    json_t *root =
        json_pack("{s:s, s:s, s:s, s:s, s:[s], s:s, s:s, s:o}", "server", options->server, "name",
                  options->name, "certificate_request", base64, "transport_key", part->transport,
                  "seal_keys", part->seal, "log_vkey", part->vkey, "witness_vkey",
                  part->witness_vkey, "addresses", addresses);
    char *text = root == NULL ? NULL : json_dumps(root, JSON_INDENT(2));
    fault f = text == NULL ? RAISE(INTERNAL, "the request could not be written as JSON")
                           : file_replace(options->request, span_of_text(text), 0644);
    free(text);
    free(base64);
    json_decref(root);
    return f;
}

static fault make(const struct options *options)
{
    struct bus_id server;
    struct public_part part = {.vkey = ""};
    char path[PATH_BYTES];
    if (options->server == NULL || options->name == NULL || options->request == NULL ||
        options->addresses == 0)
        return RAISE(BAD_REQUEST,
                     "keys make needs --folder, --server, --name, --address and --request");
    if (failed(bus_id_parse(span_of_text(options->server), ID_SERVER, ID_SERVER, &server)) ||
        failed(bus_id_check_strict(&server)))
        return RAISE(BAD_REQUEST, "--server %s is not INSTANCE/CLASS/MEMBER/SERVERCODE: %s",
                     options->server, fault_detail());
    TRY(path_in(options->folder, "sign.key", path));
    if (access(path, F_OK) == 0)
        return RAISE(REFUSED, "%s holds keys already; they are not overwritten", options->folder);
    TRY(file_make_folders(options->folder, 0700));
    TRY(make_log_keys(options, &part));
    TRY(make_transport_key(options, &part));
    TRY(make_seal_key(options, &part));
    TRY(make_store_key(options));
    TRY(make_signing_key(options, &server, &part));
    fault f = write_request(options, &part);
    bytes_free(&part.request);
    TRY(f);
    printf(
        "keys of %s are in %s\nkeep a copy of " STORE_KEY_FILE
        " apart from the evidence log: without it no kept payload opens\nsend %s to the authority; "
        "then: chaski keys certificate --folder %s --certificate FILE\n",
        options->server, options->folder, options->request, options->folder);
    return DONE;
}

static fault take_certificate(const struct options *options)
{
    char path[PATH_BYTES];
    OWNED(keypair) key = NULL;
    OWNED(certificate) certificate = NULL;
    OWNED(bytes) pem = NULL;
    uint8_t digest[SHA256_BYTES] = {7}, signature[P256_SIGNATURE_BYTES_MAX];
    size_t size = 0;
    if (options->certificate == NULL)
        return RAISE(BAD_REQUEST, "keys certificate needs --folder and --certificate");
    TRY(path_in(options->folder, "sign.key", path));
    TRY(keypair_load(path, KEY_P256, &key));
    TRY(certificate_load(options->certificate, &certificate));
    TRY(keypair_sign_digest(key, digest, signature, &size));
    if (failed(certificate_verify_digest(certificate, digest, span_of(signature, size))))
        return RAISE(BAD_KEY, "%s is not the certificate of %s", options->certificate, path);
    TRY(path_in(options->folder, "sign.crt", path));
    TRY(certificate_pem(certificate, &pem));
    TRY(file_replace(path, bytes_span(pem), 0644));
    printf("certificate of %s/%s is in %s\n", certificate_subject(certificate)->member,
           certificate_subject(certificate)->server, path);
    return DONE;
}

/* The public half of a transport key, for the settings of the machine at the other end: a gateway's
 * for gateway_keys of its server, the server's transport.key for server_key of the gateway. */
static fault show_transport(const char *path)
{
    struct curve_keys keys;
    char text[41];
    if (access(path, F_OK) != 0) {
        curve_make(&keys);
        TRY(curve_save(&keys, path));
        fprintf(stderr, "a new key is in %s\n", path);
    } else {
        TRY(curve_load(path, &keys));
    }
    curve_public_text(&keys, text);
    explicit_bzero(&keys, sizeof keys);
    puts(text);
    return DONE;
}

static fault take_options(int argc, char **argv, struct options *out)
{
    static const struct option known[] = {{"folder", required_argument, NULL, 'f'},
                                          {"server", required_argument, NULL, 's'},
                                          {"name", required_argument, NULL, 'n'},
                                          {"address", required_argument, NULL, 'a'},
                                          {"request", required_argument, NULL, 'r'},
                                          {"certificate", required_argument, NULL, 'c'},
                                          {0}};
    optind = 0;
    for (int code; (code = getopt_long(argc, argv, "", known, NULL)) != -1;) {
        if (code == 'a' && out->addresses < DIRECTORY_ADDRESSES_MAX)
            out->address[out->addresses++] = optarg;
        else if (code == 'f')
            out->folder = optarg;
        else if (code == 's')
            out->server = optarg;
        else if (code == 'n')
            out->name = optarg;
        else if (code == 'r')
            out->request = optarg;
        else if (code == 'c')
            out->certificate = optarg;
        else
            return RAISE(BAD_REQUEST, "an option that is not known, or too many addresses");
    }
    return out->folder != NULL ? DONE : RAISE(BAD_REQUEST, "--folder is missing");
}

fault keys_command(int argc, char **argv)
{
    struct options options = {0};
    if (argc < 2)
        return RAISE(BAD_REQUEST, "keys make ..., keys certificate ... or keys transport FILE");
    if (strcmp(argv[1], "transport") == 0)
        return argc == 3 ? show_transport(argv[2])
                         : RAISE(BAD_REQUEST, "keys transport needs the name of a key file");
    TRY(take_options(argc - 1, argv + 1, &options));
    if (strcmp(argv[1], "make") == 0)
        return make(&options);
    if (strcmp(argv[1], "certificate") == 0)
        return take_certificate(&options);
    return RAISE(BAD_REQUEST, "keys %s is not known", argv[1]);
}
