// SPDX-License-Identifier: MIT
/* A new authority: keys, certificates, anchor, first act. Made beside its place and renamed into
 * it, so that there is a whole store or none. */
#include "registry/store.h"

#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/bus/bus_id.h"
#include "registry/acts_file.h"
#include "lib/net/socket.h"
#include "registry/hosting.h"
#include "registry/stamping.h"

#include "directory.pb-c.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define CA_DAYS 7300
#define AUTHORITY_DAYS 3650
#define LAST_SECOND_MS INT64_C(2524607999000) /* of 2049: as far as leaves can tell the time */

struct making {
    char folder[512];
    const struct store_plan *plan;
    int64_t now_ms;
};

static int64_t end_of(const struct making *self, int64_t days)
{
    int64_t end_ms = self->now_ms + days * STORE_DAY_MS;
    return end_ms < LAST_SECOND_MS ? end_ms : LAST_SECOND_MS;
}

static fault write_text(const struct making *self, const char *name, const char *text)
{
    char path[STORE_PATH_BYTES];
    text_format(path, sizeof path, "%s/%s", self->folder, name);
    return file_replace(path, span_of_text(text), 0644);
}

static fault write_certificate(const struct making *self, const char *name,
                               const struct certificate *certificate)
{
    char path[STORE_PATH_BYTES];
    OWNED(bytes) pem = NULL;
    text_format(path, sizeof path, "%s/%s", self->folder, name);
    TRY(certificate_pem(certificate, &pem));
    return file_replace(path, bytes_span(pem), 0644);
}

static fault new_key(const struct making *self, const char *name, enum key_kind kind,
                     struct keypair **out)
{
    char path[STORE_PATH_BYTES];
    OWNED(keypair) key = NULL;
    text_format(path, sizeof path, "%s/keys/%s", self->folder, name);
    TRY(keypair_make(kind, &key));
    TRY(keypair_save(key, path));
    *out = TAKE(key);
    return DONE;
}

static fault fill_subject(const struct making *self, const char *member, const char *server,
                          struct certificate_subject *out)
{
    const char *instance = self->plan->instance;
    *out = (struct certificate_subject){0};
    if (strlen(instance) == 2 && strspn(instance, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == 2)
        memcpy(out->country, instance, 3);
    if (!text_format(out->organisation, sizeof out->organisation, "%s", self->plan->name) ||
        !text_format(out->member, sizeof out->member, "%s/" DIRECTORY_AUTHORITY_CLASS "/%s",
                     instance, member) ||
        !text_format(out->server, sizeof out->server, "%s", server))
        return RAISE(BAD_NAME, "the instance or the authority's name is too long");
    return DONE;
}

static const char *const this_machine[] = {"localhost", "127.0.0.1", "::1"};

static fault make_certificates(const struct making *self)
{
    struct certificate_subject ca_subject, subject;
    OWNED(keypair) ca_key = NULL;
    OWNED(keypair) key = NULL;
    OWNED(certificate) ca = NULL;
    OWNED(certificate) authority = NULL;
    OWNED(bytes) request = NULL;
    TRY(fill_subject(self, "CA", "ca", &ca_subject));
    TRY(fill_subject(self, "REGISTRY", "registry", &subject));
    TRY(new_key(self, "ca.key", KEY_P256, &ca_key));
    TRY(new_key(self, "acts.key", KEY_P256, &key));
    TRY(certificate_make_ca(ca_key, &ca_subject, self->now_ms - STORE_DAY_MS, end_of(self, CA_DAYS),
                            &ca));
    TRY(keypair_request(key, &subject, &request));
    TRY(certificate_issue(ca_key, ca, bytes_span(request), &subject, self->now_ms - STORE_DAY_MS,
                          end_of(self, AUTHORITY_DAYS), &authority));
    TRY(write_certificate(self, "ca.pem", ca));
    TRY(write_certificate(self, "anchor/trust.pem", ca));
    TRY(write_certificate(self, "authority.pem", authority));
    TRY(stamping_make(self->folder, ca_key, ca, self->plan->instance, self->now_ms));
    return hosting_make(self->folder, ca_key, ca, self->plan->instance,
                        self->plan->hosts == 0 ? this_machine : self->plan->host,
                        self->plan->hosts == 0 ? 3 : self->plan->hosts, self->now_ms);
}

/* What `serve` uses on the network besides; none of it signs acts. */
static fault make_network_keys(const struct making *self)
{
    char path[STORE_PATH_BYTES];
    struct curve_keys push;
    OWNED(keypair) intake = NULL;
    text_format(path, sizeof path, "%s/push.key", self->folder);
    curve_make(&push);
    TRY(curve_save(&push, path));
    text_format(path, sizeof path, "%s/intake.key", self->folder);
    TRY(keypair_make(KEY_X25519, &intake));
    return keypair_save(intake, path);
}

static fault make_log_key(const struct making *self)
{
    OWNED(keypair) key = NULL;
    OWNED(bytes) public_key = NULL;
    struct note_key log;
    char vkey[400], line[402];
    TRY(new_key(self, "log.key", KEY_ED25519, &key));
    TRY(keypair_public(key, &public_key));
    TRY(note_key_make(self->plan->origin, NOTE_LOG, public_key->data, &log));
    note_key_text(&log, vkey, sizeof vkey);
    text_format(line, sizeof line, "%s\n", vkey);
    return write_text(self, "anchor/directory.vkey", line);
}

static fault make_folders(const struct making *self)
{
    char path[STORE_PATH_BYTES];
    if (mkdir(self->folder, 0700) != 0)
        return RAISE(IO_FAILED, "making %s: %m", self->folder);
    text_format(path, sizeof path, "%s/keys", self->folder);
    TRY(file_make_folders(path, 0700));
    text_format(path, sizeof path, "%s/anchor", self->folder);
    return file_make_folders(path, 0755);
}

static fault open_directory(const struct making *self)
{
    OWNED(store) store = NULL;
    Chaski__Opened opened = CHASKI__OPENED__INIT;
    Chaski__Act act = CHASKI__ACT__INIT;
    char instance[ID_PART_BYTES_MAX + 1];
    TRY(store_open(self->folder, &store));
    text_format(instance, sizeof instance, "%s", self->plan->instance);
    opened.instance = instance;
    act.act_case = CHASKI__ACT__ACT_OPENED;
    act.opened = &opened;
    TRY(store_act(store, &act));
    return store_commit(store);
}

static fault fill(const struct making *self)
{
    char settings[64];
    text_format(settings, sizeof settings, "{\"valid_days\": %u}\n", self->plan->valid_days);
    TRY(make_folders(self));
    TRY(make_certificates(self));
    TRY(make_log_key(self));
    TRY(make_network_keys(self));
    TRY(write_text(self, "settings.json", settings));
    TRY(acts_file_make(self->folder));
    TRY(open_directory(self));
    TRY(file_sync_folder(self->folder));
    return DONE;
}

/* A plan that could not be carried out leaves nothing behind. */
static void drop(const struct making *self)
{
    static const char *const names[] = {"stamp/stamp.key",
                                        "stamp/stamp.pem",
                                        "stamp/serial",
                                        "stamp",
                                        "admin.key",
                                        "admin.pem",
                                        "push.key",
                                        "intake.key",
                                        "keys/ca.key",
                                        "keys/acts.key",
                                        "keys/log.key",
                                        "anchor/trust.pem",
                                        "anchor/directory.vkey",
                                        "keys",
                                        "anchor",
                                        "ca.pem",
                                        "authority.pem",
                                        "settings.json",
                                        "acts.log",
                                        "acts.head",
                                        "lock"};
    char path[STORE_PATH_BYTES];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        text_format(path, sizeof path, "%s/%s", self->folder, names[i]);
        if (remove(path) != 0 && errno != ENOENT)
            fprintf(stderr, "chaski-registry: left behind: %s\n", path);
    }
    rmdir(self->folder);
}

static fault check_plan(const struct store_plan *plan)
{
    struct bus_id id;
    char canonical[ID_TEXT_BYTES_MAX + 1] = "";
    if (!failed(bus_id_parse(span_of_text(plan->instance), 1, 1, &id)) &&
        !failed(bus_id_check_strict(&id)))
        bus_id_text(&id, 1, canonical, sizeof canonical);
    if (canonical[0] == '\0' || strcmp(canonical, plan->instance) != 0)
        return RAISE(REFUSED, "'%s' cannot be an instance; it is a short code such as CO",
                     plan->instance);
    if (plan->valid_days < 1 || plan->valid_days > 3650)
        return RAISE(REFUSED, "a directory is valid from 1 to 3650 days");
    return DONE;
}

// --- what one that was stopped has left ---------------------------------------------------------

/* Is this what stands beside `name` while it is made: NAME.new-DIGITS? */
static bool is_unfinished(const char *entry, const char *name)
{
    static const char between[] = ".new-";
    size_t size = strlen(name);
    if (strncmp(entry, name, size) != 0 || strncmp(entry + size, between, sizeof between - 1) != 0)
        return false;
    const char *digits = entry + size + sizeof between - 1;
    return digits[0] != '\0' && strspn(digits, "0123456789") == strlen(digits);
}

/* Keys of a country that never was go; what has acts may be somebody's copy under such a name, and
 * is told of. Nobody else makes one here, for we hold the lock. */
static void drop_one_unfinished(const struct making *left)
{
    char acts[STORE_PATH_BYTES];
    text_format(acts, sizeof acts, "%s/acts.log", left->folder);
    if (access(acts, F_OK) != 0)
        drop(left);
    if (access(left->folder, F_OK) == 0)
        fprintf(stderr,
                "chaski-registry: %s may be what an `init` that was stopped has left, with private "
                "keys: look, and remove it\n",
                left->folder);
    else
        fprintf(stderr, "chaski-registry: removed %s, which an `init` that was stopped has left\n",
                left->folder);
}

static void drop_unfinished(const char *parent, const char *name)
{
    DIR *entries = opendir(parent);
    if (entries == NULL)
        return;
    for (const struct dirent *entry; (entry = readdir(entries)) != NULL;) {
        struct making left = {.plan = NULL};
        if (is_unfinished(entry->d_name, name) &&
            text_format(left.folder, sizeof left.folder, "%s/%s", parent, entry->d_name))
            drop_one_unfinished(&left);
    }
    closedir(entries);
}

/* Of the folder in which it is made: one at a time. close() *out. */
static fault lock_parent(const char *parent, int *out)
{
    int fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return RAISE(IO_FAILED, "folder %s: %m", parent);
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        close(fd);
        return RAISE(REFUSED, "another `init` is at work in %s", parent);
    }
    *out = fd;
    return DONE;
}

static fault make_beside(struct making *self, const char *folder, const char *parent,
                         const char *name)
{
    if (!text_format(self->folder, sizeof self->folder, "%s/%s.new-%d", parent, name,
                     (int)getpid()))
        return RAISE(BAD_CONFIG, "the store's name is too long");
    drop_unfinished(parent, name);
    fault f = fill(self);
    if (!failed(f) && rename(self->folder, folder) != 0)
        f = RAISE(REFUSED, "%s is there already and not empty", folder);
    if (failed(f))
        drop(self);
    return f;
}

fault store_make(const char *folder, const struct store_plan *plan)
{
    struct making self = {.plan = plan, .now_ms = clock_wall_ms()};
    char parent[512], name[512];
    int lock = -1;
    TRY(check_plan(plan));
    if (!text_format(parent, sizeof parent, "%s", folder) ||
        !text_format(name, sizeof name, "%s", folder))
        return RAISE(BAD_CONFIG, "the store's name is too long");
    const char *above = dirname(parent), *last = basename(name);
    TRY(lock_parent(above, &lock));
    fault f = make_beside(&self, folder, above, last);
    close(lock);
    return f;
}
