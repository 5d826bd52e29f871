// SPDX-License-Identifier: MIT
/*
 * server_config - settings of chaski-security-server, for both of its processes.
 */
#ifndef SERVER_CONFIG_H
#define SERVER_CONFIG_H

#include "lib/base/config.h"
#include "lib/base/secret.h"
#include "lib/bus/keeping.h"

struct server_config {
    char *server;      /* INSTANCE/CLASS/MEMBER/SERVERCODE */
    char *keys_folder; /* sign.key sign.crt log.key seal.key transport.key */
    char *audit_folder;
    char *anchor_file;          /* what is followed; "": the three below are given instead */
    struct anchor_file *anchor; /* read by server_config_anchor; NULL without anchor_file */
    int64_t directory_poll_ms;
    int64_t directory_stale_ms;
    int64_t directory_stale_open_ms; /* of a class; 0: as directory_stale_ms */
    int64_t directory_stale_shared_ms;
    int64_t directory_stale_restricted_ms;
    char *directory_folder;
    char *trust_file;     /* PEM anchors */
    char *authority_file; /* verifier key of the directory, one line */
    char *front;          /* where gateways come in */
    struct config_list gateway_keys;
    struct config_list mesh_listen;
    char *ready_file; /* "": none */
    int64_t body_bytes_max;
    int64_t rate_open, rate_shared, rate_restricted; /* requests a second; 0: no limit */
    int64_t exchanges_max;
    int64_t wal_segment_mib;
    int64_t checkpoint_every_ms;
    int64_t publish_every_ms;
    int64_t start_check_ms;
    int64_t peer_check_every_ms;
    int64_t reconcile_hour; /* -1: every reconcile_every_ms instead */
    int64_t reconcile_every_ms;
    int64_t reconcile_days;
    int64_t reconcile_grace_ms;
    int64_t late_a_day;
    int64_t late_an_hour;
    int64_t late_free_mib;
    int64_t witness_alarm_ms;
    int64_t witness_stop_ms;
    struct config_list witness_logs; /* verifier keys */
    char *evidence_front;            /* where gateways ask the clerk; "": there is none */
    int64_t evidence_log;            /* enum evidence_log */
    int64_t evidence_records;        /* 1: own subsystems' records are handed to their gateways */
    int64_t payload;                 /* enum keep_mode: of services without a section */
    int64_t retention_days;
    int64_t log_days;
    struct config_sections service; /* of struct payload_section */
    char *keys_passphrase;          /* source of it; "": keys are not sealed */
    char *sign_key;                 /* "": keys_folder/sign.key; else a token's URI */
    char *token_module;
    int64_t token_sessions;
    int64_t renew_before_s;
    int64_t renew_settle_s;
    int64_t seal_roll_s; /* 0: the directory's sealing key alone */
    int64_t seal_overlap_s;
    int64_t subjects_a_minute;
    int64_t event_level; /* enum event_level */
    /* no setting: what keys_passphrase led to, read by whoever starts the processes; NULL: none */
    struct secret *passphrase;
};

/* How much of the log is read over HTTP. */
enum evidence_log { EVIDENCE_LOG_OFF, EVIDENCE_LOG_TILES, EVIDENCE_LOG_ENTRIES };

/* What is kept of the payloads of a service, or of those whose identifiers begin so. */
struct payload_section {
    char *title;
    int64_t payload;        /* 0: as without a section; else enum keep_mode + 1 */
    int64_t retention_days; /* -1: as without a section; 0: until somebody orders otherwise */
};

extern const struct config_setting server_settings[];

struct anchor_file;

/* Reads and checks more than a table can: that identifiers are some. BAD_CONFIG. */
fault server_config_read(const char *path, struct server_config *out);
/* Reads anchor_file, when it is given. BAD_CONFIG says what is wrong with it. Whether it has
 * expired matters only while nothing newer is known, which the exchange process sees. */
fault server_config_anchor(struct server_config *self);
void server_config_clear(struct server_config *self);

#endif
