// SPDX-License-Identifier: MIT
/*
 * verify - what the rooms of `chaski-audit verify` share: logs while they are checked.
 *
 *   verify.c         the command: one log after the other
 *   verify_tell.c    what is told of each
 *   verify_rest.c    what the verdict rests on: anchors and directories
 *   verify_directory.c  ... and how far others confirmed those directories
 *   examine.c        what can be found out of an entry by itself, by many threads (crew.c)
 *   verify_entry.c   what that means, entry after entry in the order of the log
 *   verify_prune.c   a log whose beginning was removed
 *   verify_log.c     the entries of one log against one another, its checkpoint and its end
 *   verify_missing.c payloads that are missing, and the acts that answer for them
 *   verify_tiles.c   the static form of a log against its entries
 *   verify_confirm.c checkpoints, cosignatures, time stamps
 *   verify_times.c   the times between those, and the records of tokens
 *   verify_cover.c   how far that reaches, and how far it had to
 *   verify_epochs.c  epochs of one log against one another
 *   verify_held.c    heads of other logs that the folders' owners keep
 *   verify_late.c    late receipts of one log
 *   verify_sealing.c was an exchange kept from its person's view by right?
 *   verify_permit.c  does the log bear out why citizens were asked?
 *   verify_cards.c   sealing keys that one log's server announced
 *   verify_copies.c  copies of one log against one another
 *   verify_logs.c    logs against one another
 *   verify_pairs.c   two logs of the same exchanges: nine types of findings
 *   verify_older.c   ... of which one was copied before the other, or was cut
 *   verify_twins.c   ... of which two are found here: two leaves for one act
 */
#ifndef TOOLS_AUDIT_VERIFY_H
#define TOOLS_AUDIT_VERIFY_H

#include "lib/base/map.h"
#include "lib/bus/pair_type.h"
#include "tools/audit/anchors.h"
#include "tools/audit/commands.h"
#include "tools/audit/examine.h"
#include "tools/audit/history.h"
#include "lib/evidence/log_view.h"
#include "tools/audit/report.h"
#include "tools/audit/roots.h"
#include "tools/audit/store_keys.h"
#include "tools/audit/tlog_policy.h"

enum payload_found {
    FOUND_NONE,
    FOUND_HELD,
    FOUND_SEALED, /* it is there, and we have no key to it */
    FOUND_SALT,   /* only the salt was kept */
    FOUND_ERASED,
    FOUND_DAMAGED,
    FOUND_KINDS
};

/* What is kept of an entry for the checks between entries and between logs. */
struct kept {
    struct sha256 leaf_hash;
    uint64_t index;
    enum header_kind kind; /* 0: it could not be read, and the rest is empty */
    uint8_t exchange_id[EXCHANGE_ID_BYTES];
    char *sender_server, *receiver_server; /* interned */
    unsigned log_epoch;
    uint64_t log_size;
    struct sha256 log_root;
    struct sha256 reply_to;
    bool has_reply_to;
    bool again;       /* the same leaf stood in this log before */
    bool has_outcome; /* of a request: for pictures */
    bool verified;    /* its signature, with the certificate that it names */
    enum payload_found payload;
    enum keep_mode mode; /* what the server had said it would keep of it */
    const char *service; /* interned */
    uint32_t fault, status;
    int64_t time_ms;
    /* for pictures: members who asked and were asked, the rule that decided; interned */
    const char *caller, *provider, *rule;
    const char *withheld; /* columns that the answer does not hold (withheld_text.h); NULL: none */
};

/* A checkpoint of the history. */
struct confirmed {
    uint64_t size;
    int64_t stamp_ms;         /* 0: no good token */
    int64_t alone_ms;         /* of a whole token whose authority is not trusted; 0: none */
    bool ended;               /* the certificate under the good token, by now */
    unsigned good;            /* cosignatures, of the witnesses of today */
    unsigned quorum;          /* 0: nobody is to witness it */
    bool token;               /* there is one, good or not */
    struct sha256 token_hash; /* ... and what it hashes to */
    bool logged;              /* a record of the log names that hash */
};

/* The largest head that another server has claimed of its own log, in an entry of this one. */
struct peer_head {
    const char *server; /* interned */
    unsigned epoch;
    uint64_t size;
    struct sha256 root;
    uint64_t index; /* of the entry that holds the claim */
};

/* A head of another log, in a file beside this one. */
struct held {
    const struct log *holder;           /* its first epoch */
    char file[160];                     /* below the folder */
    struct checkpoint head;             /* only its origin when the directory knows no such log */
    char server[ID_TEXT_BYTES_MAX + 1]; /* whose log, which signed it; "": it is not known */
    unsigned epoch;
};

#define HELD_MAX 4096 /* of one folder */

/* A head of this log that its own key signed, in a file of its folder. */
struct signed_head {
    char file[32]; /* below log/<epoch>/ */
    uint64_t size;
    struct sha256 root;
};

/* Something of which the log's own server says that an auditor must know it. */
struct incident {
    uint64_t index;
    char *text; /* NULL: sealed, or not held */
};

#define INCIDENTS_TOLD_MAX 50

/* A record that payloads were erased. */
struct erased_act {
    uint64_t index;
    struct header_read *header;
    char *ground;      /* NULL: sealed, or not held */
    uint64_t payloads; /* that it answers for */
    uint64_t held;     /* that it says erased and that are here all the same */
};

/* A record that a time stamp was taken in, which names it in its header. */
struct stamp_act {
    uint64_t index, size;
    struct sha256 token;
};

/* A record that letters are sealed to this key from now on. */
struct card_act {
    uint64_t index;
    int64_t time_ms;
    struct header_card card;
};

/* A leaf that was missing here and came from the other side. */
struct late_act {
    uint64_t index;
    struct header_read *header;
    bool opened; /* its payload was, and is the leaf */
};

/* What the other logs know of beyond the end of the newest epoch. */
struct beyond {
    uint64_t entries;         /* that its server signed or answered, and that are not here */
    int64_t newest_ms;        /* of those */
    uint64_t size;            /* the largest head that it signed ... */
    uint64_t index;           /* ... in this entry */
    const struct log *holder; /* ... of this log */
    uint64_t later;           /* heads of after --as-of, which count for nothing */
};

enum reach { REACH_UNKNOWN, REACH_SHORT, REACH_FAR };

struct log {
    struct log_view *view;         /* NULL: it could not be opened, which is a finding */
    struct payload_reader *reader; /* of its payloads, for this thread; NULL before the walk */
    struct history *history;       /* of the folder's own directory */
    struct anchors anchors;
    uint64_t directory_confirmed; /* acts of the folder's directory that witnesses cosigned */
    struct roots *roots;          /* of its entries */
    struct kept *entry;
    uint64_t count, room;
    size_t segments;
    uint64_t *segment;          /* first entries of its segments, sorted */
    struct map by_hash;         /* leaf hash -> index + 1 of its first place */
    struct map names;           /* interned texts */
    struct map heads;           /* server -> struct peer_head */
    struct checkpoint promised; /* read before the walk: a running node writes on; size 0: none */
    bool promise_bad;
    uint64_t uncovered;          /* entries that no checkpoint covers yet */
    uint64_t quorate;            /* entries that a head with a quorum of cosignatures covers */
    uint64_t stamped;            /* ... that a good time stamp covers */
    bool witnessed;              /* the directory assigns it witnesses */
    struct confirmed *confirmed; /* by size */
    size_t confirmations;
    uint64_t payloads[FOUND_KINDS];
    struct header_read *started; /* its last one: what is kept from there on */
    size_t acts;
    struct erased_act *act;
    uint64_t incidents; /* of its own server; the first of them: */
    struct incident incident[INCIDENTS_TOLD_MAX];
    size_t stamps;
    struct stamp_act *stamp;
    size_t cards;
    struct card_act *card;
    size_t lates;
    struct late_act *late;
    struct permit_log *permits; /* verify_permit.c; NULL: no collection asked for anything */
    struct map late_by_hash;    /* of the leaf that came -> index + 1 of its first receipt */
    int64_t own_ms;             /* newest time in this server's own entries so far */
    uint64_t own_size;          /* largest head in this server's own entries so far */
    uint64_t own_index;         /* ... and which entry held it */
    int64_t walked_ms;          /* wall time when the walk began */
    struct log *before, *later; /* epochs of the same folder, or NULL */
    struct header_read *closed; /* first record of a later epoch: what became of the one before */
    char *reason;               /* ... and why; NULL: sealed */
    uint64_t first;             /* entry that is left; those before were pruned, by this record: */
    struct header_read *pruned; /* ... NULL: there is none */
    struct sha256 *pruned_hash; /* of those that were, until they are kept */
    struct bytes *first_leaf;   /* of a later epoch's entry 0, when it is one of them; or NULL */
    char *prune_ground;         /* NULL: sealed */
    uint64_t first_started;     /* entry of the first STARTED that is left */
    uint64_t unsaid;            /* payloads that are missing, and may have been meant to */
    uint64_t lost;              /* entries that others know of, beyond the end of a closed epoch */
    uint64_t beyond;            /* largest head beyond that end in the folder's own files ... */
    char beyond_by[64];         /* ... and in which */
    struct beyond beyond_end;
    enum reach reaches; /* the moment of --as-of */
    size_t signed_heads;
    struct signed_head *signed_head; /* in all its files */
};

/* What two logs showed against one another, by type; healed: has come late since. */
struct pair_tally {
    const struct log *a, *b;
    uint64_t count[PAIR_TYPES_END], healed[PAIR_TYPES_END];
};

struct verify {
    const struct audit_arguments *arguments;
    struct report *report;
    struct log *log; /* of all folders and epochs; none moves once it is opened */
    size_t logs, room;
    struct store_keys *keys; /* to the payloads */
    struct directory *given; /* of --directory, or NULL */
    struct history *given_history;
    struct tlog_policy *policy; /* of --directory-policy, or NULL */
    /* for the log being walked: the newest directory that contains its own; borrowed */
    const struct directory *judge;
    const struct history *history;
    struct log *now;
    int64_t as_of_ms; /* logs are held against one another up to here; INT64_MAX: all of it */
    size_t helds;
    struct held *held;
    size_t tallies;
    struct pair_tally *tally;
};

/* Everything about these folders goes to `report`, which is borrowed; verify_free() it. A fault
 * means that nothing could be checked. */
fault verify_run(const struct audit_arguments *arguments, struct report *report,
                 struct verify **out);
void verify_free(struct verify **self);

#define FIND(self, log, index, rule, meaning, ...) \
    verify_find((self)->report, log, index, rule, meaning, __VA_ARGS__)
#define REMARK(self, log, ...) report_remark((self)->report, (log)->view->name, __VA_ARGS__)

/* A finding about this log, with the files in which its evidence lies (printf style). */
void verify_find(struct report *report, const struct log *log, uint64_t entry, const char *rule,
                 const char *meaning, const char *format, ...)
    __attribute__((format(printf, 6, 7)));

/* When it is opened: the hashes of what was pruned. LOG_BROKEN: they are not there. */
fault verify_pruned_read(struct log *log);
/* Before the first entry: what was pruned is kept by its hashes alone, but for entry 0 of a later
 * epoch, which is to be shown as others are: first_leaf. */
void verify_pruned(struct verify *self, struct log *log);
/* After the last: does the record that pruned it say so? */
void verify_prune_act(struct verify *self, struct log *log);
/* The same text for the same bytes, as long as the log lives. */
char *verify_intern(struct log *log, struct span text);
/* One more entry, of which only the leaf hash is known so far; index is how many there are. */
struct kept *verify_keep(struct log *log, uint64_t index, const struct sha256 *leaf_hash);
/* Keeps the entry and judges what was found out of it. */
void verify_entry(struct verify *self, struct log *log, const struct examined *examined);
/* After the last one. */
void verify_log(struct verify *self, struct log *log);
/* Payloads that are missing. Called by it. */
void verify_missing(struct verify *self, struct log *log);
/* One more card of its own server. */
void verify_note_card(struct log *log, const struct log_entry *entry);
/* Its key cards. After the last entry; earlier epochs were walked before. */
void verify_cards(struct verify *self, struct log *log);
/* Was this exchange kept from its person's view by right? */
void verify_sealing(struct verify *self, struct log *log, const struct log_entry *entry);
/* One more request of a collection, outcome or permit of its own server. */
void verify_note_permit(struct log *log, const struct log_entry *entry, const struct kept *kept);
/* Does what its permits lean on bear them out? After the last entry. */
void verify_permits(struct verify *self, struct log *log);
void verify_permits_clear(struct log *log);
/* Its late receipts. After the last entry. */
void verify_late(struct verify *self, struct log *log);
/* Has this entry of `here`, which `log` does not have, come to it late, in this epoch or a later
 * one? A receipt that says otherwise of it than the entry does is a finding, and heals nothing. */
bool verify_late_came(struct verify *self, struct log *log, const struct kept *kept,
                      const struct log *here);
void verify_late_clear(struct log *log);
/* Tiles and bundles of its first `size` entries. After the last entry. */
void verify_tiles(struct verify *self, struct log *log, uint64_t size);
/* What others confirmed of it. After verify_log. */
void verify_confirm(struct verify *self, struct log *log);
/* ... do the times of the entries fit, and is each token there? Called by it. */
void verify_times(struct verify *self, struct log *log);
/* Compares two struct confirmed, for qsort and bsearch. */
int verify_by_size(const void *a, const void *b);
/* ... and whether it is all that was to be confirmed. Called by it. */
void verify_cover(struct verify *self, struct log *log);
/* Does a head that the log's own server has signed fit the log? It stands in entry `kept` of
 * `holder`'s log. */
void verify_head(struct verify *self, const struct log *log, const struct kept *kept,
                 const struct log *holder);
/* Before the first entry: a running node's witness may sign on. */
void verify_held_read(struct verify *self);
/* After all epochs were checked: each against the log that it is of. */
void verify_held(struct verify *self);
/* Is the log that it is of among those given? */
bool verify_held_is_here(const struct verify *self, const struct held *held);
void verify_held_tell(const struct verify *self, const struct log *log);
json_t *verify_held_json(const struct verify *self, const struct log *log);
/* A file of the log's own folder holds a signed head beyond its end? Of a closed epoch that is told
 * with what else shows a lost end (verify_epoch), and true is returned. */
bool verify_beyond(struct log *log, uint64_t size, const char *file);
/* A later epoch and the one before it. After all epochs of the folder were checked. */
void verify_epoch(struct verify *self, struct log *log);
/* Is this leaf in an epoch of the same log, this one or another? In which, and where: or NULL. */
const struct log *verify_find_leaf(const struct log *log, const struct sha256 *leaf_hash,
                                   uint64_t *index);
/* The epoch of the same log as `log` with this number; NULL when it is not at hand. */
struct log *verify_epoch_of(struct log *log, unsigned epoch);
/* Did this leaf stand beyond the end of a closed epoch? Then it belongs to what was lost. */
bool verify_is_lost(const struct log *log, const struct kept *kept);
/* One more head that the log's own key signed. */
void verify_note_signed(struct log *log, const char *file, const struct checkpoint *head);
/* Two folders: if they hold one log, do they hold one history? After all epochs were checked. */
void verify_copies(struct verify *self, struct log *here, struct log *there);
/* After the last log. */
void verify_logs(struct verify *self);
/* What `here` holds of exchanges with `there`, and `there` does not. */
void verify_pair(struct verify *self, struct log *here, struct log *there);
/* Reads --as-of. BAD_REQUEST: it is no time. */
fault verify_as_of(struct verify *self);
/* Dated after --as-of? */
bool verify_is_later(const struct verify *self, const struct kept *kept);
/* Do others vouch for an own entry of this newest epoch dated at --as-of or later? False without
 * --as-of. After verify_confirm. */
bool verify_reaches(const struct verify *self, struct log *log);
/* `holder` holds a head of this newest epoch beyond its end. */
void verify_note_head(const struct verify *self, struct log *log, const struct kept *kept,
                      const struct log *holder);
/* Does this head, dated after --as-of, stand in an epoch that began after this copy, which reaches
 * that moment? Then it counts for nothing. */
bool verify_is_after_all(const struct verify *self, struct log *log, const struct kept *kept);
/* Did the log's server sign this entry, which is not here, after all that is? Then it is noted, and
 * told by verify_older(). */
bool verify_is_beyond(struct log *log, const struct kept *kept);
/* ... or answer this request, when its log was longer than this copy of it? */
bool verify_is_answered_beyond(struct log *log, const struct kept *request,
                               const struct kept *answer);
/* One finding about each log beyond the end of which something was noted. After all pairs. */
void verify_older(struct verify *self);
/* Acts that stand in the logs twice, in the wrong order or at impossible times. */
void verify_acts(struct verify *self);
/* Of those: two leaves for one act. Called by it. */
void verify_twins(struct verify *self);
/* One more of this type, in the tallies of this log. */
void verify_count_type(struct verify *self, const struct log *log, enum pair_type type);
/* "pairs" of the JSON object. */
json_t *verify_pairs_json(const struct verify *self);

/* What there is to say of each log; ends the report. */
void verify_tell(struct verify *self);

/* Before the first entry: says what the verdict rests on, compares the logs' anchors and
 * directories, loads --directory. A fault means that nothing can be checked. */
fault verify_rest(struct verify *self);
/* After all logs were walked: are the directories cosigned, by whom they name and by whom the
 * auditor named? */
void verify_directories(struct verify *self);
/* The newest directory that contains this log's own becomes its judge. */
void verify_choose_judge(struct verify *self, const struct log *log);
/* "anchors" of the JSON object. */
json_t *verify_anchors_json(const struct verify *self);

/* Is this the root over the log's first `size` entries? It has as many. */
static inline bool verify_root_is(const struct log *log, uint64_t size, const struct sha256 *root)
{
    struct sha256 own = roots_at(log->roots, size);
    return sha256_equal(&own, root);
}

static inline bool kept_is_own(const struct log *log, const struct kept *kept)
{
    return kept->kind != 0 && strcmp(kept->sender_server, log->view->server) == 0;
}

#endif
