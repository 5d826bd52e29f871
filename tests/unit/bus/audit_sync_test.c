// SPDX-License-Identifier: MIT
/* A disk that does not take what was written: nothing may be acknowledged that is not durable. */
#include "lib/bus/audit_log.h"

#include "lib/base/text.h"
#include "lib/bus/limits.h"
#include "tests/unit/bus/store_keys.h"
#include "tests/unit/unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOON_MS INT64_C(1795003200000)
#define DAY_MS INT64_C(86400000)
#define EVERYTHING (-1)

/* What the child says of its append, before anything else can happen to it. */
#define ACKNOWLEDGED 'a'
#define REFUSED_IT 'r'

static const char *const texts[] = {"one", "two", "three", "four"};
static const uint8_t blob[JOURNAL_BLOBS_BYTES + 1] = "0123456789abcdef0123456789abcdefpayload";
static bool large_blob;

static struct span a_blob(void)
{
    return span_of(blob, large_blob ? sizeof blob : 39);
}

struct way {
    const char
        *fails; /* part of the path of the open file that cannot be synced; "": all, NULL: none */
    size_t segment_bytes;
    size_t leaf_bytes; /* of the third record, at least */
    int64_t wall_ms;   /* when the third record comes */
};

static fault open_log(const char *folder, size_t segment_bytes, audit_visit *visit, void *owner,
                      struct audit_log **out)
{
    static const uint8_t any[ED25519_PUBLIC_BYTES];
    struct note_key key;
    struct audit_recovery recovery;
    TRY(note_key_make("log.example/a", NOTE_LOG, any, &key));
    struct audit_log_options options = {.folder = folder,
                                        .epoch = 1,
                                        .segment_bytes = segment_bytes,
                                        .key = &key,
                                        .holder = *a_holder()};
    return audit_log_open(&options, visit, owner, out, &recovery);
}

/* Leaf i: its text and zeros behind it, up to this size. */
static fault append(struct audit_log *log, size_t i, size_t leaf_bytes, int64_t wall_ms)
{
    static uint8_t leaf[LEAF_BYTES_MAX];
    size_t size = strlen(texts[i]);
    memset(leaf, 0, sizeof leaf);
    memcpy(leaf, texts[i], size);
    struct audit_record record = {.leaf = span_of(leaf, size < leaf_bytes ? leaf_bytes : size),
                                  .blob = a_blob()};
    return audit_log_append(log, &record, 1, wall_ms);
}

/* The descriptor of the open file whose path holds this part. */
static int find_open(const char *part)
{
    int found = -2;
    DIR *dir = opendir("/proc/self/fd");
    for (struct dirent *entry; dir != NULL && (entry = readdir(dir)) != NULL;) {
        char path[512];
        ssize_t size = readlinkat(dirfd(dir), entry->d_name, path, sizeof path - 1);
        path[size < 0 ? 0 : size] = '\0';
        if (strstr(path, "/tmp/chaski-unit-") == path && strstr(path, part) != NULL)
            found = atoi(entry->d_name);
    }
    if (dir != NULL)
        closedir(dir);
    return found;
}

/* From here on the kernel answers EIO to fdatasync of this descriptor, or of all. */
static bool break_sync(int fd)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    int made = fd == EVERYTHING
                   ? seccomp_rule_add(filter, SCMP_ACT_ERRNO(EIO), SCMP_SYS(fdatasync), 0)
                   : seccomp_rule_add(filter, SCMP_ACT_ERRNO(EIO), SCMP_SYS(fdatasync), 1,
                                      SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)fd));
    bool fine = made == 0 && seccomp_load(filter) == 0;
    seccomp_release(filter);
    return fine;
}

/* The child: opens the log of two, breaks the disk, appends the third and says how that went. Then
 * it closes the log, which flushes all that was not. */
static void append_third(const char *folder, const struct way *way, int say)
{
    const struct rlimit no_core = {0, 0};
    setrlimit(RLIMIT_CORE, &no_core);
    struct audit_log *log = NULL;
    if (failed(open_log(folder, way->segment_bytes, NULL, NULL, &log)))
        _exit(2);
    int fd = way->fails == NULL || way->fails[0] == '\0' ? EVERYTHING : find_open(way->fails);
    if (fd < EVERYTHING || (way->fails != NULL && !break_sync(fd)))
        _exit(3);
    fault f = append(log, 2, way->leaf_bytes, way->wall_ms);
    char word = failed(f) ? REFUSED_IT : ACKNOWLEDGED;
    if (f.code != OK && f.code != LOG_FAILED)
        _exit(4);
    if (audit_log_head(log).size != (failed(f) ? 2 : 3))
        _exit(5);
    if (write(say, &word, 1) != 1)
        _exit(6);
    if (word == ACKNOWLEDGED)
        audit_log_free(&log);
    _exit(0);
}

struct end {
    int status;
    char said; /* '\0': nothing */
    char events[4096];
};

static void read_all(int fd, char *out, size_t room)
{
    size_t used = 0;
    for (ssize_t got; used + 1 < room && (got = read(fd, out + used, room - 1 - used)) > 0;)
        used += (size_t)got;
    out[used] = '\0';
}

static struct end run_child(const char *folder, const struct way *way)
{
    struct end end = {0};
    int say[2], events[2];
    char said[8];
    CU_ASSERT_FATAL(pipe2(say, O_CLOEXEC) == 0 && pipe2(events, O_CLOEXEC) == 0);
    pid_t child = fork();
    CU_ASSERT_FATAL(child >= 0);
    if (child == 0) {
        dup2(events[1], STDERR_FILENO);
        append_third(folder, way, say[1]);
    }
    close(say[1]);
    close(events[1]);
    read_all(events[0], end.events, sizeof end.events);
    read_all(say[0], said, sizeof said);
    end.said = said[0];
    close(say[0]);
    close(events[0]);
    CU_ASSERT_EQUAL(waitpid(child, &end.status, 0), child);
    return end;
}

// --- the log afterwards -------------------------------------------------------------------------

struct walk {
    struct merkle tree;
    size_t wrong;
};

static fault check_leaf(void *owner, uint64_t index, struct span leaf,
                        const struct sha256 *leaf_hash)
{
    struct walk *walk = owner;
    size_t size = index < 4 ? strlen(texts[index]) : 0;
    walk->wrong += index >= 4 || leaf.size < size || memcmp(leaf.at, texts[index], size) != 0 ||
                   index != walk->tree.size;
    merkle_append(&walk->tree, leaf_hash);
    return DONE;
}

/* Opens what the child left; returns its size. All that is in it is whole, and it goes on. */
static uint64_t check_sound(const char *folder, const struct way *way)
{
    struct walk walk = {0};
    OWNED(audit_log) log = NULL;
    MUST(open_log(folder, way->segment_bytes, check_leaf, &walk, &log));
    struct audit_head head = audit_log_head(log);
    struct sha256 root = merkle_root(&walk.tree);
    CU_ASSERT_EQUAL(walk.wrong, 0);
    CU_ASSERT_EQUAL(head.size, walk.tree.size);
    CU_ASSERT(sha256_equal(&head.root, &root));
    CU_ASSERT(head.size == 2 || head.size == 3);
    MUST(append(log, (size_t)head.size, 0, NOON_MS));
    for (uint64_t i = 0; i <= head.size; i++) {
        OWNED(bytes) leaf = NULL;
        OWNED(bytes) payload = NULL;
        MUST(audit_log_read(log, i, &leaf, &payload));
        CU_ASSERT(span_equal(bytes_span(payload), a_blob()));
    }
    return head.size;
}

static const char *make_log_of_two(const struct way *way)
{
    const char *folder = unit_folder();
    OWNED(audit_log) log = NULL;
    MUST(open_log(folder, way->segment_bytes, NULL, NULL, &log));
    MUST(append(log, 0, 0, NOON_MS));
    MUST(append(log, 1, 0, NOON_MS));
    return folder;
}

// --- tests --------------------------------------------------------------------------------------

/* So that the silence of the others means something. */
static void test_on_a_sound_disk_the_append_is_acknowledged(void)
{
    const struct way way = {NULL, 1 << 20, 0, NOON_MS};
    const char *folder = make_log_of_two(&way);
    struct end end = run_child(folder, &way);
    CU_ASSERT(WIFEXITED(end.status) && WEXITSTATUS(end.status) == 0);
    CU_ASSERT_EQUAL(end.said, ACKNOWLEDGED);
    CU_ASSERT_EQUAL(check_sound(folder, &way), 3);
}

static void check_ends_unsaid(const struct way *way)
{
    const char *folder = make_log_of_two(way);
    struct end end = run_child(folder, way);
    CU_ASSERT(WIFSIGNALED(end.status) && WTERMSIG(end.status) == SIGABRT);
    CU_ASSERT_EQUAL(end.said, '\0');
    CU_ASSERT_PTR_NOT_NULL(strstr(end.events, "audit.sync_failed"));
    check_sound(folder, way);
}

static void test_a_journal_that_cannot_be_synced_ends_the_process_unacknowledged(void)
{
    check_ends_unsaid(&(struct way){"/keys/journal", 1 << 20, 0, NOON_MS});
}

/* What is too large for the journal is flushed by itself, and first. */
static void test_large_payloads_that_cannot_be_synced_end_the_process_unacknowledged(void)
{
    large_blob = true;
    check_ends_unsaid(&(struct way){"/payload/", 1 << 20, 0, NOON_MS});
    check_ends_unsaid(&(struct way){"/keys/2", 1 << 20, 0, NOON_MS});
    large_blob = false;
}

/* The journal has it: the process ends when a file's own turn has come, and nothing is lost. */
static void check_ends_later(const char *fails)
{
    const struct way way = {fails, 1 << 20, 0, NOON_MS};
    const char *folder = make_log_of_two(&way);
    struct end end = run_child(folder, &way);
    CU_ASSERT(WIFSIGNALED(end.status) && WTERMSIG(end.status) == SIGABRT);
    CU_ASSERT_EQUAL(end.said, ACKNOWLEDGED);
    CU_ASSERT_PTR_NOT_NULL(strstr(end.events, "audit.sync_failed"));
    CU_ASSERT_EQUAL(check_sound(folder, &way), 3);
}

static void test_a_file_that_cannot_be_synced_later_loses_nothing(void)
{
    check_ends_later("/wal/0");
    check_ends_later("/payload/");
    check_ends_later("/keys/2");
}

static void test_a_disk_that_syncs_nothing_ends_the_process_unacknowledged(void)
{
    check_ends_unsaid(&(struct way){"", 1 << 20, 0, NOON_MS});
    check_ends_unsaid(&(struct way){"", 1 << 20, 0, NOON_MS + DAY_MS});
}

/* Nothing was promised for a segment that is only being made: this one may be tried again. */
static void test_a_segment_that_cannot_be_made_durable_refuses_the_append(void)
{
    const struct way way = {"", 1 << 16, (1 << 16) - WAL_FRAME_BYTES - 20, NOON_MS};
    const char *folder = make_log_of_two(&way);
    struct end end = run_child(folder, &way);
    CU_ASSERT(WIFEXITED(end.status) && WEXITSTATUS(end.status) == 0);
    CU_ASSERT_EQUAL(end.said, REFUSED_IT);
    CU_ASSERT_EQUAL(check_sound(folder, &way), 2);
}

SUITE(audit_sync, TEST(test_on_a_sound_disk_the_append_is_acknowledged),
      TEST(test_a_journal_that_cannot_be_synced_ends_the_process_unacknowledged),
      TEST(test_large_payloads_that_cannot_be_synced_end_the_process_unacknowledged),
      TEST(test_a_file_that_cannot_be_synced_later_loses_nothing),
      TEST(test_a_disk_that_syncs_nothing_ends_the_process_unacknowledged),
      TEST(test_a_segment_that_cannot_be_made_durable_refuses_the_append))
