// SPDX-License-Identifier: MIT
#include "registry/status_book.h"

#include "lib/base/file.h"
#include "lib/base/map.h"
#include "lib/base/text.h"
#include "registry/store.h"

#include <dirent.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <unistd.h>

struct status_book {
    char folder[STORE_PATH_BYTES - 128];
    struct map notes; /* by hex */
};

void status_book_free(struct status_book **self)
{
    if (*self == NULL)
        return;
    size_t step = 0;
    for (struct status_note *at; (at = map_next(&(*self)->notes, &step, NULL)) != NULL;)
        free(at);
    map_clear(&(*self)->notes);
    free(*self);
    *self = NULL;
}

static fault path_in(const char *folder, const char *name, char out[STORE_PATH_BYTES])
{
    return text_format(out, STORE_PATH_BYTES, "%s/%s", folder, name)
               ? DONE
               : RAISE(BAD_CONFIG, "the store's name is too long");
}

// --- state.json ---------------------------------------------------------------------------------

static struct status_note *note_of(struct status_book *self, const char *hex)
{
    struct status_note *note = map_get(&self->notes, span_of_text(hex));
    if (note != NULL)
        return note;
    note = owned_new(sizeof *note);
    text_format(note->sha256, sizeof note->sha256, "%s", hex);
    map_set(&self->notes, span_of_text(hex), note);
    return note;
}

static fault read_note(struct status_book *self, const char *hex, json_t *json)
{
    uint8_t hash[SHA256_BYTES];
    const char *verdict = NULL, *problem = NULL;
    json_int_t asked = 0, answered = 0, this_update = 0, until = 0, kept = 0;
    if (failed(text_unhex(span_of_text(hex), hash, sizeof hash)) ||
        json_unpack(json, "{s:I,s:I,s:I,s:I,s:I,s:s,s:s}", "asked_ms", &asked, "answered_ms",
                    &answered, "this_update_ms", &this_update, "until_ms", &until, "kept_ms", &kept,
                    "verdict", &verdict, "problem", &problem) != 0)
        return RAISE(LOG_BROKEN, "its entry %.80s", hex);
    struct status_note *note = note_of(self, hex);
    note->asked_ms = asked;
    note->answered_ms = answered;
    note->this_update_ms = this_update;
    note->until_ms = until;
    note->kept_ms = kept;
    text_format(note->verdict, sizeof note->verdict, "%s", verdict);
    text_format(note->problem, sizeof note->problem, "%s", problem);
    return DONE;
}

static fault read_state(struct status_book *self)
{
    char path[STORE_PATH_BYTES];
    OWNED(bytes) text = NULL;
    const char *hex = NULL;
    json_t *note = NULL;
    json_error_t error;
    TRY(path_in(self->folder, "state.json", path));
    fault f = file_read(path, STATUS_BOOK_BYTES_MAX, &text);
    if (f.code == NOT_FOUND)
        return DONE;
    TRY(f);
    json_t *root = json_loadb((const char *)text->data, text->size, JSON_REJECT_DUPLICATES, &error);
    f = json_is_object(root) ? DONE : RAISE(LOG_BROKEN, "it is not JSON");
    json_object_foreach(root, hex, note)
    {
        if (!failed(f))
            f = read_note(self, hex, note);
    }
    json_decref(root);
    return failed(f) ? RAISE(LOG_BROKEN,
                             "%s is damaged: %s. Take it away: all statuses are asked for anew",
                             path, fault_detail())
                     : DONE;
}

fault status_book_open(const char *store, struct status_book **out)
{
    OWNED(status_book) self = owned_new(sizeof *self);
    if (!text_format(self->folder, sizeof self->folder, "%s/statuses", store))
        return RAISE(BAD_CONFIG, "the store's name is too long");
    TRY(read_state(self));
    *out = TAKE(self);
    return DONE;
}

fault status_book_save(const struct status_book *self)
{
    char path[STORE_PATH_BYTES];
    json_t *root = json_object();
    size_t step = 0;
    for (const struct status_note *at; (at = map_next(&self->notes, &step, NULL)) != NULL;)
        json_object_set_new(root, at->sha256,
                            json_pack("{s:I,s:I,s:I,s:I,s:I,s:s,s:s}", "asked_ms",
                                      (json_int_t)at->asked_ms, "answered_ms",
                                      (json_int_t)at->answered_ms, "this_update_ms",
                                      (json_int_t)at->this_update_ms, "until_ms",
                                      (json_int_t)at->until_ms, "kept_ms", (json_int_t)at->kept_ms,
                                      "verdict", at->verdict, "problem", at->problem));
    char *text = json_dumps(root, JSON_INDENT(1) | JSON_SORT_KEYS);
    json_decref(root);
    fault f = text == NULL ? RAISE(INTERNAL, "the statuses could not be written as JSON") : DONE;
    if (!failed(f))
        f = file_make_folders(self->folder, 0755);
    if (!failed(f))
        f = path_in(self->folder, "state.json", path);
    if (!failed(f))
        f = file_replace(path, span_of_text(text), 0644);
    free(text);
    return f;
}

struct status_note *status_book_note(struct status_book *self, const struct sha256 *certificate)
{
    char hex[2 * SHA256_BYTES + 1];
    text_hex(sha256_span(certificate), hex, sizeof hex);
    return note_of(self, hex);
}

const struct status_note *status_book_find(const struct status_book *self,
                                           const struct sha256 *certificate)
{
    char hex[2 * SHA256_BYTES + 1];
    text_hex(sha256_span(certificate), hex, sizeof hex);
    return map_get(&self->notes, span_of_text(hex));
}

// --- answers ------------------------------------------------------------------------------------

static fault keep(const struct status_book *self, const char *whose, enum status_form form,
                  int64_t this_update_ms, struct span answer)
{
    char name[160], path[STORE_PATH_BYTES];
    TRY(path_in(self->folder, whose, path));
    TRY(file_make_folders(path, 0755));
    text_format(name, sizeof name, "%s/%" PRId64 ".%s", whose, this_update_ms / 1000,
                status_form_word(form));
    TRY(path_in(self->folder, name, path));
    return access(path, F_OK) == 0 ? DONE : file_replace(path, answer, 0644);
}

fault status_book_take(struct status_book *self, struct status_note *note,
                       const struct sha256 *issuer, enum status_form form, struct span answer,
                       const struct status *status, int64_t now_ms)
{
    char of_issuer[2 * SHA256_BYTES + 1];
    const char *verdict = status_verdict_word(status->verdict);
    text_hex(sha256_span(issuer), of_issuer, sizeof of_issuer);
    if (strcmp(note->verdict, verdict) != 0 || note->kept_ms == 0 ||
        status->this_update_ms - note->kept_ms >= STATUS_KEEP_MS) {
        TRY(keep(self, form == STATUS_CRL ? of_issuer : note->sha256, form, status->this_update_ms,
                 answer));
        note->kept_ms = status->this_update_ms;
    }
    note->answered_ms = now_ms;
    note->this_update_ms = status->this_update_ms;
    note->until_ms = status->until_ms;
    note->problem[0] = '\0';
    text_format(note->verdict, sizeof note->verdict, "%s", verdict);
    return DONE;
}

static fault proof_path(const struct status_book *self, const char *hex, enum status_form form,
                        char out[STORE_PATH_BYTES])
{
    char name[160];
    text_format(name, sizeof name, "revoked/%s.%s", hex, status_form_word(form));
    return path_in(self->folder, name, out);
}

fault status_book_put_proof(const struct status_book *self, const struct status_note *note,
                            enum status_form form, struct span proof)
{
    char path[STORE_PATH_BYTES];
    TRY(path_in(self->folder, "revoked", path));
    TRY(file_make_folders(path, 0755));
    TRY(proof_path(self, note->sha256, form, path));
    return file_replace(path, proof, 0644);
}

fault status_book_proof(const struct status_book *self, const struct sha256 *certificate,
                        enum status_form *form, struct bytes **out)
{
    char hex[2 * SHA256_BYTES + 1], path[STORE_PATH_BYTES];
    fault f = DONE;
    text_hex(sha256_span(certificate), hex, sizeof hex);
    for (*form = STATUS_OCSP; *form <= STATUS_CRL; ++*form) {
        TRY(proof_path(self, hex, *form, path));
        f = file_read(path, STATUS_CRL_BYTES_MAX, out);
        if (f.code != NOT_FOUND)
            return f;
    }
    return f;
}

void status_book_drop_proof(const struct status_book *self, const struct sha256 *certificate)
{
    char hex[2 * SHA256_BYTES + 1], path[STORE_PATH_BYTES];
    text_hex(sha256_span(certificate), hex, sizeof hex);
    for (enum status_form form = STATUS_OCSP; form <= STATUS_CRL; form++)
        if (!failed(proof_path(self, hex, form, path)))
            unlink(path);
}

// --- publishing ---------------------------------------------------------------------------------

static bool is_hash(const char *name)
{
    return strlen(name) == 2 * SHA256_BYTES && strspn(name, "0123456789abcdef") == 2 * SHA256_BYTES;
}

/* Of this folder the newest ones, the newest first; seconds have ten digits until 2286. */
struct newest {
    size_t count;
    char name[STATUS_PUBLISHED_MAX][32];
};

static void add_name(struct newest *self, const char *name)
{
    size_t at = self->count < STATUS_PUBLISHED_MAX ? self->count++ : STATUS_PUBLISHED_MAX;
    for (; at > 0 && strcmp(self->name[at - 1], name) < 0; at--)
        if (at < STATUS_PUBLISHED_MAX)
            memcpy(self->name[at], self->name[at - 1], sizeof self->name[at]);
    if (at < STATUS_PUBLISHED_MAX)
        text_format(self->name[at], sizeof self->name[at], "%s", name);
}

static bool is_answer(const char *name)
{
    size_t digits = strspn(name, "0123456789");
    return digits == 10 &&
           (strcmp(name + digits, ".ocsp") == 0 || strcmp(name + digits, ".crl") == 0);
}

static fault copy_one(const char *from_folder, const char *to_folder, const char *name)
{
    char from[STORE_PATH_BYTES], to[STORE_PATH_BYTES];
    OWNED(bytes) answer = NULL;
    TRY(path_in(to_folder, name, to));
    if (access(to, F_OK) == 0)
        return DONE;
    TRY(path_in(from_folder, name, from));
    TRY(file_read(from, STATUS_CRL_BYTES_MAX, &answer));
    TRY(file_make_folders(to_folder, 0755));
    return file_replace(to, bytes_span(answer), 0644);
}

static fault publish_folder(const char *from, const char *to, const char *hex, struct bytes *index)
{
    char source[STORE_PATH_BYTES], target[STORE_PATH_BYTES], line[160];
    struct newest newest = {.count = 0};
    TRY(path_in(from, hex, source));
    TRY(path_in(to, hex, target));
    DIR *folder = opendir(source);
    if (folder == NULL)
        return RAISE(IO_FAILED, "reading %s: %m", source);
    for (const struct dirent *at; (at = readdir(folder)) != NULL;)
        if (is_answer(at->d_name))
            add_name(&newest, at->d_name);
    closedir(folder);
    for (size_t i = 0; i < newest.count; i++) {
        TRY(copy_one(source, target, newest.name[i]));
        text_format(line, sizeof line, "%s/%s\n", hex, newest.name[i]);
        TRY(bytes_append_text(index, line));
    }
    return DONE;
}

static fault publish_all(const char *from, const char *to, struct bytes *index)
{
    DIR *folder = opendir(from);
    fault f = DONE;
    for (const struct dirent *at; folder != NULL && !failed(f) && (at = readdir(folder)) != NULL;)
        if (is_hash(at->d_name))
            f = publish_folder(from, to, at->d_name, index);
    if (folder != NULL)
        closedir(folder);
    return f;
}

fault status_book_publish(const char *store, const char *folder)
{
    char from[STORE_PATH_BYTES], to[STORE_PATH_BYTES], path[STORE_PATH_BYTES];
    OWNED(bytes) index = bytes_empty(4096);
    OWNED(bytes) before = NULL;
    TRY(path_in(store, "statuses", from));
    TRY(path_in(folder, "status", to));
    TRY(path_in(to, "index", path));
    TRY(publish_all(from, to, index));
    fault f = file_read(path, STATUS_BOOK_BYTES_MAX, &before);
    if (index->size == 0 && f.code == NOT_FOUND)
        return DONE;
    if (!failed(f) && span_equal(bytes_span(before), bytes_span(index)))
        return DONE;
    return file_replace(path, bytes_span(index), 0644);
}
