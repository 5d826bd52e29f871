// SPDX-License-Identifier: MIT
/* chaski keys: makes a server's keys and its request for enrolment; takes the certificate in. */
#include "tools/chaski/commands.h"
#include "tools/chaski/keys.h"

#include "lib/base/file.h"
#include "lib/base/options.h"
#include "lib/base/text.h"
#include "lib/bus/bus_id.h"
#include "lib/bus/store_key.h"
#include "lib/crypto/certificate.h"
#include "lib/crypto/key_file.h"
#include "lib/crypto/keypair.h"
#include "lib/crypto/note.h"
#include "lib/crypto/sealed_key.h"
#include "lib/net/socket.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define PATH_BYTES 512

static fault path_in(const char *folder, const char *name, char out[PATH_BYTES])
{
    return text_format(out, PATH_BYTES, "%s/%s", folder, name)
               ? DONE
               : RAISE(BAD_REQUEST, "the folder's name is too long");
}

static fault make_key(const struct keys_options *options, const char *name, enum key_kind kind,
                      struct keypair **out)
{
    char path[PATH_BYTES];
    OWNED(keypair) key = NULL;
    TRY(path_in(options->folder, name, path));
    TRY(keypair_make(kind, &key));
    TRY(keypair_save_sealed(key, path, options->seal));
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
static fault make_note_key(const struct keys_options *options, const char *file, const char *name,
                           uint8_t type, char *vkey_out, size_t room)
{
    OWNED(keypair) key = NULL;
    OWNED(bytes) public_key = NULL;
    struct note_key vkey;
    char path[PATH_BYTES], part[32], line[520];
    text_format(part, sizeof part, "%s.key", file);
    TRY(make_key(options, part, KEY_ED25519, &key));
    TRY(keypair_public(key, &public_key));
    TRY(note_key_make(name, type, public_key->data, &vkey));
    note_key_text(&vkey, vkey_out, room);
    text_format(line, sizeof line, "%s\n", vkey_out);
    text_format(part, sizeof part, "%s.vkey", file);
    TRY(path_in(options->folder, part, path));
    return file_replace(path, span_of_text(line), 0644);
}

static fault make_log_keys(const struct keys_options *options, struct keys_public *out)
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

static fault make_transport_key(const struct keys_options *options, struct keys_public *out)
{
    struct curve_keys keys;
    char path[PATH_BYTES], line[42];
    TRY(path_in(options->folder, "transport.key", path));
    curve_make(&keys);
    curve_secret_text(&keys, line);
    fault f = key_file_make(path, span_of(line, sizeof line - 1), options->seal);
    explicit_bzero(line, sizeof line);
    text_hex(span_of(keys.public_key, CURVE_KEY_BYTES), out->transport, sizeof out->transport);
    explicit_bzero(&keys, sizeof keys);
    return f;
}

static fault make_seal_key(const struct keys_options *options, struct keys_public *out)
{
    OWNED(keypair) key = NULL;
    OWNED(bytes) public_key = NULL;
    TRY(make_key(options, "seal.key", KEY_X25519, &key));
    TRY(keypair_public(key, &public_key));
    text_hex(bytes_span(public_key), out->seal, sizeof out->seal);
    return DONE;
}

static fault make_store_key(const struct keys_options *options)
{
    char path[PATH_BYTES];
    TRY(path_in(options->folder, STORE_KEY_FILE, path));
    return store_key_make(path, options->seal);
}

fault keys_subject(const char *text, const char *name, const struct bus_id *server,
                   struct certificate_subject *out)
{
    struct certificate_subject subject = {.country = ""};
    char member[ID_TEXT_BYTES_MAX + 1];
    bus_id_text(server, ID_MEMBER, member, sizeof member);
    if (strlen(server->part[0]) == 2)
        memcpy(subject.country, server->part[0], 3);
    text_format(subject.organisation, sizeof subject.organisation, "%s", name);
    if (!text_format(subject.member, sizeof subject.member, "%s", member) ||
        !text_format(subject.server, sizeof subject.server, "%s", strrchr(text, '/') + 1))
        return RAISE(BAD_REQUEST, "--server is too long for a certificate");
    *out = subject;
    return DONE;
}

/* In a file, or in the token, which signs the request too. */
static fault make_signing_key(const struct keys_options *options, const struct bus_id *server,
                              struct keys_token *token, struct keys_public *out)
{
    OWNED(keypair) key = NULL;
    struct certificate_subject subject;
    struct digest_signer signer;
    uint8_t point[P256_POINT_BYTES];
    TRY(keys_subject(options->server, options->name, server, &subject));
    if (token == NULL) {
        TRY(make_key(options, "sign.key", KEY_P256, &key));
        return keypair_request(key, &subject, &out->request);
    }
    TRY(keys_token_make(token, point));
    TRY(keys_token_signer(token, &signer));
    return certificate_request_make(point, &subject, &signer, &out->request);
}

static fault write_request(const struct keys_options *options, const struct keys_public *part)
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

fault keys_check_server(const char *server, struct bus_id *out)
{
    if (failed(bus_id_parse(span_of_text(server), ID_SERVER, ID_SERVER, out)) ||
        failed(bus_id_check_strict(out)))
        return RAISE(BAD_REQUEST, "--server %s is not INSTANCE/CLASS/MEMBER/SERVERCODE: %s", server,
                     fault_detail());
    return DONE;
}

fault keys_read_seal(struct keys_options *options, struct secret **passphrase)
{
    if (options->passphrase == NULL)
        return DONE;
    TRY(secret_read_new(options->passphrase, "passphrase of the keys", passphrase));
    options->seal = secret_span(*passphrase);
    return options->seal.size >= PASSPHRASE_BYTES_LEAST
               ? DONE
               : RAISE(BAD_PASSPHRASE, "a passphrase of less than %d bytes: nothing was made",
                       PASSPHRASE_BYTES_LEAST);
}

/* The token first: what it has made once it does not make again. */
fault keys_make_all(const struct keys_options *options, struct keys_public *out)
{
    struct bus_id server;
    OWNED(keys_token) token = NULL;
    TRY(keys_check_server(options->server, &server));
    if (options->token != NULL)
        TRY(keys_token_open(options, &token));
    TRY(file_make_folders(options->folder, 0700));
    TRY(make_signing_key(options, &server, token, out));
    TRY(make_log_keys(options, out));
    TRY(make_transport_key(options, out));
    TRY(make_seal_key(options, out));
    return make_store_key(options);
}

static fault make(const struct keys_options *given)
{
    struct keys_options sealing = *given;
    const struct keys_options *options = &sealing;
    OWNED(secret) passphrase = NULL;
    struct bus_id server;
    struct keys_public part = {.vkey = ""};
    char path[PATH_BYTES];
    if (options->server == NULL || options->name == NULL || options->request == NULL ||
        options->addresses == 0)
        return RAISE(BAD_REQUEST,
                     "keys make needs --folder, --server, --name, --address and --request");
    TRY(keys_check_server(options->server, &server));
    TRY(path_in(options->folder, "log.key", path));
    if (access(path, F_OK) == 0)
        return RAISE(REFUSED, "%s holds keys already; they are not overwritten", options->folder);
    TRY(keys_read_seal(&sealing, &passphrase));
    fault made = keys_make_all(options, &part);
    if (failed(made)) {
        bytes_free(&part.request);
        return made;
    }
    fault f = write_request(options, &part);
    bytes_free(&part.request);
    TRY(f);
    if (options->token != NULL)
        printf("the signing key is in the token and stays there; for the server's settings:\n"
               "sign_key = \"%s\"\ntoken_module = \"%s\"\n",
               options->token, options->module);
    if (options->seal.size > 0)
        printf("they are sealed; without the passphrase they are lost\n");
    printf(
        "keys of %s are in %s\nkeep a copy of " STORE_KEY_FILE
        " apart from the evidence log: without it no kept payload opens\nsend %s to the authority; "
        "then: chaski keys certificate --folder %s --certificate FILE\n",
        options->server, options->folder, options->request, options->folder);
    return DONE;
}

fault keys_read_transport(const char *path, const char *source, struct curve_keys *out)
{
    OWNED(secret) passphrase = NULL;
    OWNED(secret) content = NULL;
    struct key_opener opener = {0};
    if (source != NULL)
        TRY(secret_read(source, "passphrase of the keys", &passphrase));
    opener.passphrase = secret_span(passphrase);
    TRY(key_file_read(path, &opener, &content));
    return failed(curve_parse(secret_span(content), out))
               ? RAISE(BAD_KEY, "%s: %s", path, fault_detail())
               : DONE;
}

/* The public half of a transport key, for the settings of the machine at the other end: a gateway's
 * for gateway_keys of its server, the server's transport.key for server_key of the gateway. */
static fault show_transport(const char *path, const char *source)
{
    struct curve_keys keys;
    char text[41];
    if (access(path, F_OK) != 0) {
        curve_make(&keys);
        TRY(curve_save(&keys, path));
        fprintf(stderr, "a new key is in %s\n", path);
    } else {
        TRY(keys_read_transport(path, source, &keys));
    }
    curve_public_text(&keys, text);
    explicit_bzero(&keys, sizeof keys);
    puts(text);
    return DONE;
}

static fault take_options(int argc, char **argv, struct keys_options *out)
{
    const struct option_place known[] = {
        OPTION_MUST("folder", &out->folder),
        OPTION_TEXT("server", &out->server),
        OPTION_TEXT("name", &out->name),
        OPTION_LIST("address", out->address, &out->addresses, DIRECTORY_ADDRESSES_MAX),
        OPTION_TEXT("request", &out->request),
        OPTION_TEXT("certificate", &out->certificate),
        OPTION_TEXT("passphrase", &out->passphrase),
        OPTION_TEXT("new-passphrase", &out->new_passphrase),
        OPTION_TEXT("token", &out->token),
        OPTION_TEXT("module", &out->module),
        {0},
    };
    TRY(options_take("keys", argc, argv, known, NULL));
    const char *sources[] = {out->passphrase, out->new_passphrase};
    for (size_t i = 0; i < 2; i++)
        if (sources[i] != NULL && failed(secret_check(sources[i])))
            return RAISE(BAD_REQUEST, "%s", fault_detail());
    return DONE;
}

static const struct {
    const char *name;
    fault (*run)(const struct keys_options *options);
} commands[] = {{"make", make},
                {"certificate", keys_take_certificate},
                {"seal", keys_seal},
                {"unseal", keys_unseal},
                {"passphrase", keys_change_passphrase}};

static fault transport_command(int argc, char **argv)
{
    bool sealed = argc == 5 && strcmp(argv[3], "--passphrase") == 0;
    return argc == 3 || sealed ? show_transport(argv[2], sealed ? argv[4] : NULL)
                               : RAISE(BAD_REQUEST, "keys transport needs the name of a key file");
}

static fault roll_command(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "seal") == 0)
        return keys_roll_seal(argc - 1, argv + 1);
    if (argc > 1 && strcmp(argv[1], "transport") == 0)
        return keys_roll_transport(argc - 1, argv + 1);
    return RAISE(BAD_REQUEST, "keys roll seal, or keys roll transport: see --help");
}

fault keys_command(int argc, char **argv)
{
    struct keys_options options = {0};
    if (argc < 2)
        return RAISE(BAD_REQUEST,
                     "keys make, certificate, transport, roll, seal, unseal or passphrase: see "
                     "--help");
    if (strcmp(argv[1], "transport") == 0)
        return transport_command(argc, argv);
    if (strcmp(argv[1], "roll") == 0)
        return roll_command(argc - 1, argv + 1);
    TRY(take_options(argc - 1, argv + 1, &options));
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        if (strcmp(argv[1], commands[i].name) == 0)
            return commands[i].run(&options);
    return RAISE(BAD_REQUEST, "keys %s is not known", argv[1]);
}
