// SPDX-License-Identifier: MIT
/* What stands in the store, for people and for programs. */
#include "registry/commands.h"
#include "registry/show_certificates.h"
#include "registry/show_list.h"
#include "registry/show_access.h"
#include "registry/show_once_only.h"
#include "registry/show_rights.h"

#include "lib/base/clock.h"
#include "lib/base/text.h"
#include "lib/evidence/witness_policy.h"

#include <jansson.h>
#include <stdlib.h>

static const void *next_member(const struct directory *directory, size_t *step)
{
    return directory_next_member(directory, step);
}

static const void *next_server(const struct directory *directory, size_t *step)
{
    return directory_next_server(directory, step);
}

static const void *next_subsystem(const struct directory *directory, size_t *step)
{
    return directory_next_subsystem(directory, step);
}

static const void *next_service(const struct directory *directory, size_t *step)
{
    return directory_next_service(directory, step);
}

static const void *next_operator(const struct directory *directory, size_t *step)
{
    return directory_next_operator(directory, step);
}

static const char *class_word(enum service_class class)
{
    return class == SERVICE_OPEN ? "open" : "shared";
}

static void date_text(int64_t ms, char out[32])
{
    clock_text(ms, out, 32);
    out[10] = '\0';
}

// --- tables -------------------------------------------------------------------------------------

/* Columns of ids are as wide as their longest. */
static void print_members(const struct directory *directory, FILE *out)
{
    OWNED(show_list) list = show_list_of(directory, next_member);
    int width = show_width(list);
    fprintf(out, "\nMEMBERS (%zu)\n", list->count);
    for (size_t i = 0; i < list->count; i++) {
        const struct directory_member *at = list->at[i];
        fprintf(out, "  %-*s  %-6s  %s\n", width, at->id, at->public_agency ? "public" : "",
                at->name);
    }
}

static void print_signers(const struct directory_server *server, FILE *out)
{
    for (size_t i = 0; i < server->signers; i++) {
        const struct directory_signer *signer = server->signer[i];
        struct sha256 hash = certificate_hash(signer->certificate);
        char until[32], revoked[32], hex[2 * SHA256_BYTES + 1];
        date_text(certificate_not_after_ms(signer->certificate), until);
        date_text(signer->revoked_since_ms, revoked);
        text_hex(sha256_span(&hash), hex, sizeof hex);
        fprintf(out, "    certificate %.16s until %s%s%s%s%s\n", hex, until,
                signer->revoked_since_ms != 0 ? ", REVOKED since " : "",
                signer->revoked_since_ms != 0 ? revoked : "",
                signer->authority != NULL ? ", of " : "",
                signer->authority != NULL ? signer->authority->name
                : signer->trusted         ? ""
                                          : ", of no authority that is trusted");
    }
}

static const char *name_of_witness(const struct directory_witness *witness)
{
    return witness->server != NULL ? witness->server : witness->key->name;
}

static void print_witnesses(const struct directory_server *server, FILE *out)
{
    if (server->witnesses == 0) {
        fputs("    witnesses none\n", out);
        return;
    }
    fprintf(out, "    witnesses (%u of %zu)", server->quorum, server->witnesses);
    for (size_t i = 0; i < server->witnesses; i++) {
        const struct directory_witness *at = &server->witness[i];
        fprintf(out, "  %s%s%s", name_of_witness(at), at->url != NULL ? " " : "",
                at->url != NULL ? at->url : "");
    }
    fputc('\n', out);
}

static void print_servers(const struct directory *directory, FILE *out)
{
    OWNED(show_list) list = show_list_of(directory, next_server);
    fprintf(out, "\nSERVERS (%zu)\n", list->count);
    for (size_t i = 0; i < list->count; i++) {
        const struct directory_server *at = list->at[i];
        fprintf(out, "  %s", at->id);
        for (size_t k = 0; k < at->addresses; k++)
            fprintf(out, "  %s", at->address[k]);
        fprintf(out, "\n    log %s\n", at->log_key.name);
        print_witnesses(at, out);
        print_signers(at, out);
    }
}

static void print_subsystems(const struct directory *directory, FILE *out)
{
    OWNED(show_list) list = show_list_of(directory, next_subsystem);
    int width = show_width(list);
    fprintf(out, "\nSUBSYSTEMS (%zu)\n", list->count);
    for (size_t i = 0; i < list->count; i++) {
        const struct directory_subsystem *at = list->at[i];
        fprintf(out, "  %-*s  %s; on", width, at->id, at->name);
        for (size_t k = 0; k < at->servers; k++)
            fprintf(out, " %s", at->server[k]->id);
        fputc('\n', out);
    }
}

static void print_services(const struct directory *directory, FILE *out)
{
    OWNED(show_list) list = show_list_of(directory, next_service);
    int width = show_width(list);
    fprintf(out, "\nSERVICES (%zu)\n", list->count);
    for (size_t i = 0; i < list->count; i++) {
        const struct directory_service *at = list->at[i];
        fprintf(out, "  %-*s  %-10s  %s%s%s\n", width, at->id, class_word(at->class), at->title,
                at->disabled ? "; SWITCHED OFF: " : "", at->disabled ? at->notice : "");
        if (at->rate > 0)
            fprintf(out, "  %-*s  %u requests a second, %u at once\n", width, "", at->rate,
                    at->burst == 0 ? at->rate : at->burst);
        if (at->subject_required)
            fprintf(out, "  %-*s  each request names a person\n", width, "");
        for (size_t k = 0; k < at->endpoints; k++)
            fprintf(out, "  %-*s  %-10s  %s: %s %s\n", width, "", class_word(at->endpoint[k].class),
                    at->endpoint[k].id, at->endpoint[k].method, at->endpoint[k].path);
        for (size_t k = 0; k < at->columns; k++)
            fprintf(out, "  %-*s  %-10s  column %s\n", width, "", class_word(at->column[k].class),
                    at->column[k].name);
    }
}

static void print_stampers(const struct directory *directory, FILE *out)
{
    const struct directory_stamper *at = NULL;
    size_t count = directory_stampers(directory, &at);
    fprintf(out, "\nTIME STAMP AUTHORITIES (%zu)\n", count);
    for (size_t i = 0; i < count; i++)
        fprintf(out, "  %4u  %s  %s\n", at[i].order, at[i].name, at[i].url);
}

static void print_operators(const struct directory *directory, FILE *out)
{
    OWNED(show_list) list = show_list_of(directory, next_operator);
    int width = show_width(list);
    fprintf(out, "\nOPERATORS (%zu)%s\n", list->count,
            directory_is_governed(directory) ? "" : "; acts need no approval yet");
    for (size_t i = 0; i < list->count; i++) {
        const struct directory_operator *at = list->at[i];
        fprintf(out, "  %-*s  %s;", width, at->id, at->name);
        for (int role = ROLE_ENROL; role < ROLES_END; role++)
            if ((at->roles >> role & 1) != 0)
                fprintf(out, " %s", directory_role_word(role));
        fputc('\n', out);
    }
}

static void print_directory_witnesses(const struct directory *directory, FILE *out)
{
    const struct directory_server *server[DIRECTORY_WITNESSES_MAX];
    unsigned quorum = 0;
    size_t count = directory_witnesses(directory, server, &quorum);
    fprintf(out, "\nWITNESSES OF THE DIRECTORY (%zu), quorum %u\n", count, quorum);
    for (size_t i = 0; i < count; i++)
        fprintf(out, "  %s\n", server[i]->id);
}

static void head_texts(struct store *store, char root[64], char until[32])
{
    struct sha256 hash = store_root(store);
    text_base64(sha256_span(&hash), root, 64);
    text_format(until, 32, "never published");
    if (directory_valid_until_ms(store_state(store)) != 0)
        clock_text(directory_valid_until_ms(store_state(store)), until, 32);
}

fault show_tables(struct store *store, unsigned status_hours, FILE *out)
{
    const struct directory *directory = store_state(store);
    char root[64], until[32];
    OWNED(status_book) book = NULL;
    TRY(status_book_open(store_folder(store), &book));
    head_texts(store, root, until);
    fprintf(out, "DIRECTORY OF %s\n  acts             %zu\n  root             %s\n",
            directory_instance(directory), store_count(store), root);
    fprintf(out, "  last publication valid until %s\n", until);
    print_members(directory, out);
    print_servers(directory, out);
    print_subsystems(directory, out);
    print_services(directory, out);
    show_rights(directory, out);
    show_access(directory, clock_wall_ms(), out);
    show_once_only(directory, out);
    print_stampers(directory, out);
    show_authorities(directory, out);
    show_certificates(directory, book, status_hours, out);
    print_operators(directory, out);
    print_directory_witnesses(directory, out);
    return DONE;
}

// --- JSON ---------------------------------------------------------------------------------------

static json_t *time_json(int64_t ms)
{
    char text[32];
    clock_text(ms, text, sizeof text);
    return json_string(text);
}

static json_t *member_json(const void *thing, const struct status_book *book)
{
    (void)book;
    const struct directory_member *at = thing;
    return json_pack("{s:s,s:s,s:b}", "id", at->id, "name", at->name, "public_agency",
                     at->public_agency);
}

static json_t *signer_json(const struct directory_signer *signer, const struct status_book *book)
{
    char hex[2 * SHA256_BYTES + 1];
    struct sha256 hash = certificate_hash(signer->certificate);
    text_hex(sha256_span(&hash), hex, sizeof hex);
    json_t *json = json_pack("{s:s,s:o,s:o,s:b}", "sha256", hex, "not_before",
                             time_json(certificate_not_before_ms(signer->certificate)), "not_after",
                             time_json(certificate_not_after_ms(signer->certificate)), "trusted",
                             signer->trusted);
    if (signer->revoked_since_ms != 0)
        json_object_set_new(json, "revoked_since", time_json(signer->revoked_since_ms));
    if (signer->authority != NULL)
        json_object_set_new(json, "authority", json_string(signer->authority->name));
    json_t *status = show_status_json(signer, book);
    if (status != NULL)
        json_object_set_new(json, "status", status);
    return json;
}

static json_t *witnesses_json(const struct directory_server *server)
{
    json_t *array = json_array();
    for (size_t i = 0; i < server->witnesses; i++) {
        const struct directory_witness *at = &server->witness[i];
        char vkey[400];
        json_t *json = json_object();
        if (at->server != NULL) {
            json_object_set_new(json, "server", json_string(at->server));
        } else {
            note_key_text(at->key, vkey, sizeof vkey);
            json_object_set_new(json, "vkey", json_string(vkey));
            json_object_set_new(json, "url", json_string(at->url));
        }
        json_array_append_new(array, json);
    }
    return array;
}

static json_t *server_json(const void *thing, const struct status_book *book)
{
    const struct directory_server *at = thing;
    char hex[65], vkey[400];
    json_t *addresses = json_array(), *seals = json_array(), *certificates = json_array();
    for (size_t i = 0; i < at->addresses; i++)
        json_array_append_new(addresses, json_string(at->address[i]));
    for (size_t i = 0; i < at->seal_keys; i++) {
        text_hex(span_of(at->seal_key[i], 32), hex, sizeof hex);
        json_array_append_new(seals, json_string(hex));
    }
    for (size_t i = 0; i < at->signers; i++)
        json_array_append_new(certificates, signer_json(at->signer[i], book));
    text_hex(span_of(at->transport_key, 32), hex, sizeof hex);
    note_key_text(&at->log_key, vkey, sizeof vkey);
    return json_pack("{s:s,s:o,s:s,s:o,s:s,s:o,s:i,s:o}", "id", at->id, "addresses", addresses,
                     "transport_key", hex, "seal_keys", seals, "log_vkey", vkey, "certificates",
                     certificates, "quorum", (int)at->quorum, "witnesses", witnesses_json(at));
}

static json_t *subsystem_json(const void *thing, const struct status_book *book)
{
    (void)book;
    const struct directory_subsystem *at = thing;
    json_t *servers = json_array();
    for (size_t i = 0; i < at->servers; i++)
        json_array_append_new(servers, json_string(at->server[i]->id));
    return json_pack("{s:s,s:s,s:o}", "id", at->id, "name", at->name, "servers", servers);
}

static json_t *service_json(const void *thing, const struct status_book *book)
{
    (void)book;
    const struct directory_service *at = thing;
    json_t *endpoints = json_array();
    for (size_t i = 0; i < at->endpoints; i++)
        json_array_append_new(endpoints,
                              json_pack("{s:s,s:s,s:s,s:s}", "id", at->endpoint[i].id, "method",
                                        at->endpoint[i].method, "path", at->endpoint[i].path,
                                        "class", class_word(at->endpoint[i].class)));
    json_t *columns = json_array();
    for (size_t i = 0; i < at->columns; i++)
        json_array_append_new(columns, json_pack("{s:s,s:s}", "name", at->column[i].name, "class",
                                                 class_word(at->column[i].class)));
    return json_pack("{s:s,s:s,s:s,s:b,s:s,s:b,s:o,s:o}", "id", at->id, "title", at->title, "class",
                     class_word(at->class), "disabled", at->disabled, "notice", at->notice,
                     "subject_required", at->subject_required, "endpoints", endpoints, "columns",
                     columns);
}

static json_t *operator_json(const void *thing, const struct status_book *book)
{
    const struct directory_operator *at = thing;
    (void)book;
    char key[4 * ((P256_POINT_BYTES + 2) / 3) + 1];
    json_t *roles = json_array();
    for (int role = ROLE_ENROL; role < ROLES_END; role++)
        if ((at->roles >> role & 1) != 0)
            json_array_append_new(roles, json_string(directory_role_word(role)));
    text_base64(span_of(at->public_key, P256_POINT_BYTES), key, sizeof key);
    return json_pack("{s:s,s:s,s:s,s:o}", "id", at->id, "name", at->name, "key", key, "roles",
                     roles);
}

static json_t *directory_witnesses_json(const struct directory *directory)
{
    const struct directory_server *server[DIRECTORY_WITNESSES_MAX];
    unsigned quorum = 0;
    size_t count = directory_witnesses(directory, server, &quorum);
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(array, json_string(server[i]->id));
    return json_pack("{s:i,s:o}", "quorum", (int)quorum, "servers", array);
}

static json_t *list_json(const struct show_list *list, const struct status_book *book,
                         json_t *(*thing)(const void *, const struct status_book *))
{
    json_t *array = json_array();
    for (size_t i = 0; i < list->count; i++)
        json_array_append_new(array, thing(list->at[i], book));
    return array;
}

static json_t *stampers_json(const struct directory *directory)
{
    const struct directory_stamper *at = NULL;
    size_t count = directory_stampers(directory, &at);
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(array, json_pack("{s:s,s:s,s:i}", "name", at[i].name, "url",
                                               at[i].url, "order", (int)at[i].order));
    return array;
}

static json_t *all_json(struct store *store, const struct status_book *book)
{
    static const struct {
        const char *name;
        show_next *next;
        json_t *(*thing)(const void *, const struct status_book *);
    } kinds[] = {{"members", next_member, member_json},
                 {"servers", next_server, server_json},
                 {"subsystems", next_subsystem, subsystem_json},
                 {"services", next_service, service_json},
                 {"operators", next_operator, operator_json}};
    const struct directory *directory = store_state(store);
    char root[64], until[32];
    head_texts(store, root, until);
    json_t *all = json_pack("{s:s,s:I,s:s,s:s}", "instance", directory_instance(directory), "acts",
                            (json_int_t)store_count(store), "root", root, "valid_until", until);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        OWNED(show_list) list = show_list_of(directory, kinds[i].next);
        json_object_set_new(all, kinds[i].name, list_json(list, book, kinds[i].thing));
    }
    json_object_update_new(all, show_rights_json(directory));
    json_object_update_new(all, show_access_json(directory, clock_wall_ms()));
    json_object_update_new(all, show_once_only_json(directory));
    json_object_set_new(all, "stamp_authorities", stampers_json(directory));
    json_object_set_new(all, "outside_authorities", show_authorities_json(directory));
    json_object_set_new(all, "governed", json_boolean(directory_is_governed(directory)));
    json_object_set_new(all, "directory_witnesses", directory_witnesses_json(directory));
    return all;
}

fault show_json(struct store *store, FILE *out)
{
    OWNED(status_book) book = NULL;
    TRY(status_book_open(store_folder(store), &book));
    json_t *all = all_json(store, book);
    int answer = json_dumpf(all, out, JSON_INDENT(2));
    json_decref(all);
    fputc('\n', out);
    return answer == 0 ? DONE : RAISE(IO_FAILED, "writing JSON");
}

// --- for auditors -------------------------------------------------------------------------------

static fault find_server(struct store *store, const char *id, const struct directory_server **out)
{
    *out = directory_server(store_state(store), span_of_text(id));
    return *out != NULL ? DONE : RAISE(REFUSED, "no server %.200s is registered", id);
}

static fault write_text(struct span text, FILE *out)
{
    return fwrite(text.at, 1, text.size, out) == text.size && fflush(out) == 0
               ? DONE
               : RAISE(IO_FAILED, "writing to standard output");
}

fault show_log_vkey(struct store *store, const char *server, FILE *out)
{
    const struct directory_server *found = NULL;
    char vkey[400], line[402];
    TRY(find_server(store, server, &found));
    note_key_text(&found->log_key, vkey, sizeof vkey);
    text_format(line, sizeof line, "%s\n", vkey);
    return write_text(span_of_text(line), out);
}

/* The log that it is about, then the same lines as in an exported record. */
fault show_policy(struct store *store, const char *server, FILE *out)
{
    const struct directory_server *found = NULL;
    OWNED(bytes) policy = NULL;
    char vkey[400], line[410];
    bool met = false;
    TRY(find_server(store, server, &found));
    TRY(witness_policy(store_state(store), &found->log_key, (struct span){0}, &policy, &met));
    note_key_text(&found->log_key, vkey, sizeof vkey);
    text_format(line, sizeof line, "log %s\n", vkey);
    TRY(write_text(span_of_text(line), out));
    return write_text(policy == NULL ? span_of_text("quorum none\n") : bytes_span(policy), out);
}
