// SPDX-License-Identifier: MIT
/*
 * commands - what the auditor's program does.
 */
#ifndef TOOLS_AUDIT_COMMANDS_H
#define TOOLS_AUDIT_COMMANDS_H

#include "lib/base/secret.h"
#include "lib/evidence/log_view.h"

#define LOGS_MAX 64

struct audit_arguments {
    size_t count;
    const char *positional[LOGS_MAX + 1];
    struct log_anchors anchors;
    const char *directory;        /* a newer one than the folders' own, or NULL */
    const char *directory_policy; /* whose cosignatures under a directory count, or NULL */
    const char *to, *exchange, *kind, *day;
    const char *peer, *hour;                                 /* of leaves */
    const char *asice, *asics, *seal_key, *seal_certificate; /* of an export */
    const char *stamped;                                     /* a container of a checkpoint */
    const char *policy, *tsa;                                /* files that go along with it */
    const char *html;                                        /* of a report */
    const char *from, *until, *member;                       /* which exchanges it shows, or NULL */
    const char *as_of;                                       /* of verify and report, or NULL */
    size_t store_keys;
    const char *store_key[LOGS_MAX]; /* files with store keys or day keys */
    struct secret *passphrase;       /* of store keys that are sealed, or NULL */
    uint64_t limit;                  /* 0: all */
    unsigned epoch;                  /* of the log that is shown; 0: the newest */
    uint64_t threads;                /* of verify; 0: as many as there are cores */
    bool json, csv, quiet, payload;
};

fault show_command(const struct audit_arguments *arguments);
fault export_command(const struct audit_arguments *arguments);
fault leaves_command(const struct audit_arguments *arguments);
fault keys_command(const struct audit_arguments *arguments);
fault indicators_command(const struct audit_arguments *arguments);
/* *findings: how many; only meaningful on DONE. */
fault verify_command(const struct audit_arguments *arguments, uint64_t *findings);

/* report DIR... --html FILE; *findings as verify_command. */
fault picture_command(const struct audit_arguments *arguments, uint64_t *findings);

/* argv[0] is the command; its options are its own. */
fault search_command(int argc, char **argv);

#endif
