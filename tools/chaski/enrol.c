// SPDX-License-Identifier: MIT
/* chaski enrol: a server asks to be enrolled, and hears what becomes of it. */
#include "tools/chaski/enrol.h"

#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/secret.h"
#include "lib/base/shown.h"
#include "lib/base/text.h"
#include "tools/chaski/commands.h"
#include "tools/chaski/web.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_BYTES 512
#define URL_BYTES (ANCHOR_URL_BYTES_MAX + 64)
#define FILE_BYTES_MAX (2 * REGISTRY_ENROLMENT_BYTES_MAX)

/* What is kept of an enrolment. */
struct kept {
    json_t *root;
    json_t *request; /* lent from root */
    const char *at;  /* likewise */
    bool awaits;     /* the certificate of an outside authority */
};

// --- the anchor ---------------------------------------------------------------------------------

/* Blanks and case are the listener's. */
static bool same_words(const char *given, const char *wanted)
{
    for (;; given++, wanted++) {
        while (*given == ' ')
            given++;
        while (*wanted == ' ')
            wanted++;
        if (tolower((unsigned char)*given) != *wanted)
            return false;
        if (*wanted == '\0')
            return true;
    }
}

static fault compare(const struct enrol_options *options, const char *fingerprint)
{
    char line[16] = "";
    printf("fingerprint of the anchor: %s\n", fingerprint);
    if (options->fingerprint != NULL)
        return same_words(options->fingerprint, fingerprint)
                   ? DONE
                   : RAISE(REFUSED, "the anchor's fingerprint is not the one given with "
                                    "--fingerprint: do not use this file");
    if (!isatty(STDIN_FILENO))
        return RAISE(BAD_REQUEST, "--fingerprint is needed where nobody can be asked");
    printf("Is this what the authority reads to you on the telephone? [y/N] ");
    fflush(stdout);
    if (fgets(line, sizeof line, stdin) == NULL || (line[0] != 'y' && line[0] != 'Y'))
        return RAISE(REFUSED, "the fingerprint was not confirmed; nothing was made or sent");
    return DONE;
}

// --- what is kept -------------------------------------------------------------------------------

static fault path_in(const char *folder, const char *name, char out[PATH_BYTES])
{
    return text_format(out, PATH_BYTES, "%s/%s", folder, name)
               ? DONE
               : RAISE(BAD_REQUEST, "the folder's name is too long");
}

static const char *text_in(json_t *json, const char *field)
{
    const char *text = json_string_value(json_object_get(json, field));
    return text == NULL ? "" : text;
}

static fault kept_read(const char *folder, struct kept *out)
{
    char path[PATH_BYTES];
    OWNED(bytes) file = NULL;
    TRY(path_in(folder, ENROL_FILE, path));
    TRY(file_read(path, FILE_BYTES_MAX, &file));
    json_t *root = json_loadb((const char *)file->data, file->size, JSON_REJECT_DUPLICATES, NULL);
    *out = (struct kept){root, json_object_get(root, "request"), text_in(root, "at"),
                         json_is_true(json_object_get(root, "awaits_certificate"))};
    if (json_is_object(out->request))
        return DONE;
    json_decref(root);
    return RAISE(BAD_REQUEST, "%s cannot be read; it was damaged after it was written", path);
}

static fault kept_write(const char *folder, const char *fingerprint, const char *at,
                        json_t *request, bool awaits)
{
    char path[PATH_BYTES];
    TRY(path_in(folder, ENROL_FILE, path));
    json_t *root =
        json_pack("{s:s,s:s,s:O}", "fingerprint", fingerprint, "at", at, "request", request);
    if (awaits)
        json_object_set_new(root, "awaits_certificate", json_true());
    char *text = json_dumps(root, JSON_INDENT(2));
    fault f = text == NULL ? RAISE(INTERNAL, "the request could not be written as JSON")
                           : file_replace(path, span_of_text(text), 0644);
    free(text);
    json_decref(root);
    return f;
}

static void kept_clear(struct kept *self)
{
    json_decref(self->root);
    *self = (struct kept){0};
}

/* Who runs it again need not say everything again, but nothing else either. */
static fault check_same(const struct enrol_options *options, const struct kept *kept)
{
    if (options->keys.server != NULL &&
        strcmp(options->keys.server, text_in(kept->request, "server")) != 0)
        return RAISE(REFUSED,
                     "these keys asked to be enrolled as %s: another server needs keys of "
                     "its own, in another --folder",
                     text_in(kept->request, "server"));
    return DONE;
}

// --- keys and request ---------------------------------------------------------------------------

static fault drop_folder(const char *folder)
{
    DIR *dir = opendir(folder);
    if (dir == NULL)
        return errno == ENOENT ? DONE : RAISE(IO_FAILED, "%s: %s", folder, strerror(errno));
    for (const struct dirent *entry; (entry = readdir(dir)) != NULL;)
        if (entry->d_name[0] != '.')
            unlinkat(dirfd(dir), entry->d_name, 0);
    closedir(dir);
    return rmdir(folder) == 0 ? DONE : RAISE(IO_FAILED, "removing %s: %s", folder, strerror(errno));
}

static fault make_in(const struct enrol_options *options, const char *folder,
                     const struct anchor_file *anchor, const char *fingerprint, const char *at,
                     json_t *self_test)
{
    struct enrol_options inner = *options;
    struct keys_public made = {.vkey = ""};
    json_t *request = NULL;
    OWNED(secret) passphrase = NULL;
    inner.keys.folder = folder;
    fault f = keys_read_seal(&inner.keys, &passphrase);
    if (!failed(f))
        f = keys_make_all(&inner.keys, &made);
    if (failed(f))
        json_decref(self_test);
    else
        f = enrol_request_make(&inner, folder, &made, anchor, self_test, &request);
    if (!failed(f))
        f = kept_write(folder, fingerprint, at, request, options->request_out != NULL);
    bytes_free(&made.request);
    json_decref(request);
    return f;
}

/* Keys and request appear together, by one rename: who is stopped before begins anew with nothing
 * lost, for nobody has heard of the keys yet. */
static fault make_new(const struct enrol_options *options, const struct anchor_file *anchor,
                      const char *fingerprint, const char *at, json_t *self_test)
{
    char beside[PATH_BYTES], parent[PATH_BYTES];
    fault f = path_in(options->keys.folder, "..", parent);
    if (!failed(f) && !text_format(beside, sizeof beside, "%s.enrolling", options->keys.folder))
        f = RAISE(BAD_REQUEST, "the folder's name is too long");
    if (!failed(f))
        f = drop_folder(beside);
    if (failed(f)) {
        json_decref(self_test);
        return f;
    }
    TRY(make_in(options, beside, anchor, fingerprint, at, self_test));
    TRY(file_sync_folder(beside));
    if (rename(beside, options->keys.folder) != 0)
        return RAISE(IO_FAILED, "%s could not take its name %s: %s", beside, options->keys.folder,
                     strerror(errno));
    TRY(file_sync_folder(parent));
    printf(
        "keys of %s are in %s%s\nkeep a copy of store.key apart from the evidence log: without it "
        "no kept payload opens\n",
        options->keys.server, options->keys.folder,
        options->keys.passphrase == NULL ? "" : ", sealed; without the passphrase they are lost");
    return DONE;
}

static fault make_from_keys(const struct enrol_options *options, const struct anchor_file *anchor,
                            const char *fingerprint, const char *at, json_t *self_test)
{
    json_t *request = NULL;
    TRY(enrol_request_make(options, options->keys.folder, NULL, anchor, self_test, &request));
    fault f =
        kept_write(options->keys.folder, fingerprint, at, request, options->request_out != NULL);
    json_decref(request);
    return f;
}

static bool has_keys(const struct enrol_options *options)
{
    char path[PATH_BYTES];
    return !failed(path_in(options->keys.folder, "log.key", path)) && access(path, F_OK) == 0;
}

/* The registry would refuse it, when there are keys already that have this name. */
static fault check_instance(const struct enrol_options *options, const struct anchor_file *anchor)
{
    size_t size = strlen(anchor->instance);
    const char *server = options->keys.server;
    return strncmp(server, anchor->instance, size) == 0 && server[size] == '/'
               ? DONE
               : RAISE(BAD_REQUEST, "--server %s is not of %s, whose anchor this is", server,
                       anchor->instance);
}

static fault make(const struct enrol_options *options, const struct anchor_file *anchor,
                  const char *fingerprint)
{
    const char *at = options->at != NULL ? options->at : anchor->address[0];
    json_t *self_test = NULL;
    TRY(enrol_options_check(options));
    TRY(check_instance(options, anchor));
    TRY(anchor_file_check_time(anchor, clock_wall_ms()));
    TRY(enrol_self_test(options, anchor, at, &self_test));
    return has_keys(options) ? make_from_keys(options, anchor, fingerprint, at, self_test)
                             : make_new(options, anchor, fingerprint, at, self_test);
}

// --- the registry -------------------------------------------------------------------------------

static fault take_answer(const struct web_answer *answer, const char *at, json_t **out)
{
    json_t *json = json_loadb((const char *)answer->body->data, answer->body->size,
                              JSON_REJECT_DUPLICATES, NULL);
    const char *detail = text_in(json, "detail");
    bool plain = shown_as_is(span_of_text(detail));
    fault f = DONE;
    if (json == NULL || (detail[0] == '\0' && text_in(json, "state")[0] == '\0'))
        f = RAISE(PEER_UNREACHABLE,
                  "%s answers %ld and something that no registry says; nothing has changed here, "
                  "run this again",
                  at, answer->status);
    else if (answer->status != 200 && answer->status != 201)
        f = RAISE(REFUSED, "the registry does not take the request: %s",
                  plain ? detail : "(with a reason that cannot be shown)");
    if (failed(f))
        json_decref(json);
    else
        *out = json;
    return f;
}

/* Sent as often as one likes: it is one request, and the answer says how it stands. */
static fault send_request(const struct kept *kept, const char *at, json_t **out)
{
    char url[URL_BYTES];
    struct web_answer answer = {0};
    if (!text_format(url, sizeof url, "%s/enrol/v1/requests", at))
        return RAISE(BAD_REQUEST, "--at is too long");
    char *text = json_dumps(kept->request, JSON_COMPACT | JSON_SORT_KEYS);
    if (text == NULL)
        return RAISE(INTERNAL, "the request could not be written as JSON");
    const struct web_ask ask = {url, text, WEB_ANY, ENROL_ANSWER_BYTES_MAX, NULL};
    fault f = web_ask(&ask, &answer);
    if (!failed(f))
        f = take_answer(&answer, at, out);
    free(text);
    bytes_free(&answer.body);
    return f;
}

static fault check_id(const struct kept *kept, json_t *answer)
{
    struct sha256 id;
    char hex[2 * SHA256_BYTES + 1];
    TRY(enrol_request_id(kept->request, &id));
    text_hex(sha256_span(&id), hex, sizeof hex);
    if (strcmp(text_in(answer, "id"), hex) != 0)
        return RAISE(PEER_UNREACHABLE, "the registry answers about another request than %s", hex);
    return DONE;
}

// --- asking --------------------------------------------------------------------------------------

static fault ask_until(const struct enrol_options *options, const struct kept *kept,
                       enum enrol_state *out)
{
    const char *at = options->at != NULL ? options->at : kept->at;
    int64_t until_ms = clock_steady_ms() + (int64_t)options->wait_s * 1000;
    int64_t pause_ms = ENROL_LOOK_MS;
    char said[ENROL_SAID_ROOM] = "";
    bool ended = false;
    for (;;) {
        json_t *answer = NULL;
        fault f = send_request(kept, at, &answer);
        if (!failed(f))
            f = check_id(kept, answer);
        if (!failed(f)) {
            *out = enrol_state_of(answer);
            ended = *out == ENROL_APPROVED || *out == ENROL_REFUSED;
            if (enrol_is_news(answer, *out, said))
                enrol_tell(text_in(kept->request, "server"), answer, *out);
        }
        json_decref(answer);
        int64_t left_ms = until_ms - clock_steady_ms();
        if (ended || left_ms <= 0 || f.code == REFUSED)
            return f;
        usleep((useconds_t)(left_ms < pause_ms ? left_ms : pause_ms) * 1000);
        pause_ms = pause_ms * 2 > ENROL_LOOK_MS_MAX ? ENROL_LOOK_MS_MAX : pause_ms * 2;
    }
}

/* The outside authority has issued it: the same keys and wishes, and its certificate. */
static fault go_on(const struct enrol_options *options, const struct anchor_file *anchor,
                   const char *fingerprint, struct kept *kept)
{
    struct enrol_options filled = *options;
    const char *at = options->at != NULL ? options->at : kept->at;
    json_t *self_test = NULL;
    TRY(enrol_wishes(kept->request, &filled));
    TRY(anchor_file_check_time(anchor, clock_wall_ms()));
    TRY(enrol_self_test(&filled, anchor, at, &self_test));
    TRY(make_from_keys(&filled, anchor, fingerprint, at, self_test));
    kept_clear(kept);
    return kept_read(options->keys.folder, kept);
}

/* Which of the two it is asked with cannot change unseen. */
static fault check_issuer(const struct enrol_options *options, const struct kept *kept)
{
    bool outside = kept->awaits || json_object_get(kept->request, "certificates") != NULL;
    if (!outside && (options->certificate != NULL || options->request_out != NULL))
        return RAISE(REFUSED, "this request asks the country's own authority for its certificate; "
                              "--anew makes another one");
    if (outside && !kept->awaits && options->request_out != NULL)
        return RAISE(REFUSED, "this request was made with the outside authority's certificate; "
                              "--anew makes another one");
    return DONE;
}

/* What was begun goes on; what is not there yet, or is wanted anew, is made. */
static fault begin(const struct enrol_options *options, const struct anchor_file *anchor,
                   struct kept *kept)
{
    char fingerprint[ANCHOR_FINGERPRINT_ROOM];
    TRY(anchor_file_fingerprint(anchor, fingerprint));
    if (kept->root != NULL) {
        TRY(check_same(options, kept));
        bool same = strcmp(text_in(kept->root, "fingerprint"), fingerprint) == 0;
        if (same && !options->anew) {
            TRY(check_issuer(options, kept));
            return kept->awaits && options->certificate != NULL
                       ? go_on(options, anchor, fingerprint, kept)
                       : DONE;
        }
        if (!options->anew)
            return RAISE(REFUSED, "this enrolment was begun with another anchor; --anew makes a "
                                  "new request with this one");
        kept_clear(kept);
    }
    TRY(compare(options, fingerprint));
    TRY(make(options, anchor, fingerprint));
    return kept_read(options->keys.folder, kept);
}

/* Nothing is sent before there is a certificate. */
static fault tell_awaits(const struct enrol_options *options, const struct kept *kept)
{
    if (options->request_out != NULL)
        TRY(enrol_request_out(options->request_out, kept->request));
    printf("%s: nothing was sent; it waits for the outside authority's certificate%s%s\nask for "
           "P-256, key usage digitalSignature and nonRepudiation, and no extended one or one for "
           "documents; then run this again with --certificate FILE and --chain FILE\n",
           text_in(kept->request, "server"),
           options->request_out == NULL ? "" : "; the request for it is in ",
           options->request_out == NULL ? "" : options->request_out);
    return DONE;
}

static fault enrol(const struct enrol_options *options, enum enrol_state *out)
{
    OWNED(anchor_file) anchor = NULL;
    struct kept kept = {0};
    TRY(anchor_file_read(options->anchor, &anchor));
    fault f = kept_read(options->keys.folder, &kept);
    if (failed(f) && f.code != NOT_FOUND)
        return f;
    f = begin(options, anchor, &kept);
    if (!failed(f))
        f = kept.awaits ? tell_awaits(options, &kept) : ask_until(options, &kept, out);
    kept_clear(&kept);
    return f;
}

fault enrol_command(int argc, char **argv)
{
    struct enrol_options options = {0};
    enum enrol_state state = ENROL_WAITING;
    if (argc > 1 && strcmp(argv[1], "vouch") == 0)
        return enrol_vouch_command(argc - 1, argv + 1);
    TRY(enrol_options_take(argc, argv, &options));
    TRY(enrol(&options, &state));
    if (state == ENROL_WAITING || state == ENROL_PREPARED)
        exit(ENROL_EXIT_WAITS);
    if (state == ENROL_REFUSED)
        exit(ENROL_EXIT_REFUSED);
    return DONE;
}
