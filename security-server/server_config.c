// SPDX-License-Identifier: MIT
#include "security-server/server_config.h"

#include "lib/bus/anchor_file.h"
#include "lib/bus/bus_id.h"
#include "lib/bus/limits.h"
#include "lib/crypto/note.h"
#include "lib/crypto/token_uri.h"
#include "lib/net/socket.h"
#include "lib/net/z85.h"

#include <stddef.h>
#include <stdlib.h>

#define AT(member) offsetof(struct server_config, member)

#define OF(member) offsetof(struct payload_section, member)

static const struct config_setting payload_settings[] = {
    {.name = "payload",
     .kind = CONFIG_CHOICE,
     .offset = OF(payload),
     .text = "default",
     .choices = "default|full|metadata|off",
     .sentence = "What is kept of these payloads; default: as outside of the section."},
    {.name = "retention_days",
     .kind = CONFIG_NUMBER,
     .offset = OF(retention_days),
     .number = -1,
     .least = -1,
     .most = RETENTION_DAYS_MAX,
     .sentence = "After how many days they are erased; 0: never; -1: as outside of the section."},
    {0},
};

const struct config_setting server_settings[] = {
    {.name = "server",
     .kind = CONFIG_TEXT,
     .offset = AT(server),
     .least = 1,
     .sentence = "This server's identifier: INSTANCE/CLASS/MEMBER/SERVERCODE."},
    {.name = "keys_folder",
     .kind = CONFIG_TEXT,
     .offset = AT(keys_folder),
     .least = 1,
     .sentence = "Folder with sign.key, sign.crt, log.key, seal.key, store.key and transport.key; "
                 "mode 0700."},
    {.name = "audit_folder",
     .kind = CONFIG_TEXT,
     .offset = AT(audit_folder),
     .least = 1,
     .sentence = "Folder of the evidence log; mode 0700, on a disk whose flushes are honest."},
    {.name = "anchor_file",
     .kind = CONFIG_TEXT,
     .offset = AT(anchor_file),
     .text = "",
     .sentence = "The country's anchor (chaski.anchor), whose fingerprint was compared with the "
                 "authority: the directory is then followed over the network. Without it "
                 "directory_folder, trust_file and authority_file must be given."},
    {.name = "directory_poll_ms",
     .kind = CONFIG_NUMBER,
     .offset = AT(directory_poll_ms),
     .number = DIRECTORY_FOLLOW_MS_DEFAULT,
     .least = 200,
     .most = 3600000,
     .sentence = "With anchor_file: how often the authority is asked for news, in milliseconds; "
                 "what is pushed comes at once."},
    {.name = "directory_stale_ms",
     .kind = CONFIG_NUMBER,
     .offset = AT(directory_stale_ms),
     .number = DIRECTORY_STALE_MS_DEFAULT,
     .least = 1000,
     .most = DIRECTORY_STALE_MS_MAX,
     .sentence = "With anchor_file: exchanges are refused when nothing fresh was heard of the "
                 "directory for so long, in milliseconds."},
    {.name = "directory_stale_open_ms",
     .kind = CONFIG_NUMBER,
     .offset = AT(directory_stale_open_ms),
     .number = 0,
     .least = 0,
     .most = DIRECTORY_STALE_MS_MAX,
     .sentence = "The same for open services; 0: as directory_stale_ms."},
    {.name = "directory_stale_shared_ms",
     .kind = CONFIG_NUMBER,
     .offset = AT(directory_stale_shared_ms),
     .number = 0,
     .least = 0,
     .most = DIRECTORY_STALE_MS_MAX,
     .sentence = "The same for shared services; 0: as directory_stale_ms."},
    {.name = "directory_stale_restricted_ms",
     .kind = CONFIG_NUMBER,
     .offset = AT(directory_stale_restricted_ms),
     .number = 0,
     .least = 0,
     .most = DIRECTORY_STALE_MS_MAX,
     .sentence = "The same for restricted services; 0: as directory_stale_ms."},
    {.name = "renew_before_s",
     .kind = CONFIG_NUMBER,
     .offset = AT(renew_before_s),
     .number = RENEW_BEFORE_S_DEFAULT,
     .least = 1,
     .most = RENEW_BEFORE_S_MAX,
     .sentence = "With anchor_file: so many seconds before the certificate of sign.key ends the "
                 "next signing key asks for one by itself, and takes over."},
    {.name = "renew_settle_s",
     .kind = CONFIG_NUMBER,
     .offset = AT(renew_settle_s),
     .number = RENEW_SETTLE_S_DEFAULT,
     .least = 1,
     .most = 86400,
     .sentence = "For so many seconds the next certificate stands in the directory before it "
                 "signs, so that every peer has it."},
    {.name = "seal_roll_s",
     .kind = CONFIG_NUMBER,
     .offset = AT(seal_roll_s),
     .number = SEAL_ROLL_S_DEFAULT,
     .least = 0,
     .most = SEAL_ROLL_S_MAX,
     .sentence = "After so many seconds letters to this server are sealed to a new key, which is "
                 "in memory only; 0: never, seal.key alone, which opens all that was ever sent."},
    {.name = "seal_overlap_s",
     .kind = CONFIG_NUMBER,
     .offset = AT(seal_overlap_s),
     .number = SEAL_OVERLAP_S_DEFAULT,
     .least = 1,
     .most = SEAL_OVERLAP_S_MAX,
     .sentence = "For so many seconds the key before still opens letters; then it is destroyed. "
                 "Senders whose letters do not open seal again."},
    {.name = "subjects_a_minute",
     .kind = CONFIG_NUMBER,
     .offset = AT(subjects_a_minute),
     .number = SUBJECTS_A_MINUTE_DEFAULT,
     .least = 1,
     .most = SUBJECTS_A_MINUTE_MAX,
     .sentence = "So many requests a minute may name a person (Chaski-Subject): who breaks into a "
                 "gateway must not try all numbers through it."},
    {.name = "directory_folder",
     .kind = CONFIG_TEXT,
     .offset = AT(directory_folder),
     .text = "",
     .sentence = "Without anchor_file: folder in which the authority's published directory "
                 "arrives by other means."},
    {.name = "trust_file",
     .kind = CONFIG_TEXT,
     .offset = AT(trust_file),
     .text = "",
     .sentence = "Without anchor_file: PEM file with the certificates of the authorities that are "
                 "trusted."},
    {.name = "authority_file",
     .kind = CONFIG_TEXT,
     .offset = AT(authority_file),
     .text = "",
     .sentence = "Without anchor_file: file with the directory's verifier key (directory.vkey), "
                 "one line."},
    {.name = "front",
     .kind = CONFIG_TEXT,
     .offset = AT(front),
     .text = "ipc:///run/chaski/front.sock",
     .least = 1,
     .sentence = "Where gateways reach this server: ipc://, whose socket file says who may, or "
                 "tcp:// with gateway_keys."},
    {.name = "gateway_keys",
     .kind = CONFIG_LIST,
     .offset = AT(gateway_keys),
     .text = "",
     .sentence = "Public CURVE keys of the gateways that may come in over tcp://, each 40 "
                 "characters of Z85, as chaski keys transport prints them."},
    {.name = "mesh_listen",
     .kind = CONFIG_LIST,
     .offset = AT(mesh_listen),
     .text = "tcp://0.0.0.0:7100,tcp://[::]:7100",
     .sentence = "Where other servers reach this one: tcp:// addresses, IPv4 and IPv6."},
    {.name = "ready_file",
     .kind = CONFIG_TEXT,
     .offset = AT(ready_file),
     .text = "",
     .sentence =
         "File written once the server takes exchanges, with its real addresses; empty: none."},
    {.name = "rate_open",
     .kind = CONFIG_NUMBER,
     .offset = AT(rate_open),
     .number = 0,
     .least = 0,
     .most = SERVICE_RATE_MAX,
     .sentence =
         "Requests a second that an open service takes of which the directory says no rate, "
         "shared evenly among who asks; 0: no limit."},
    {.name = "rate_shared",
     .kind = CONFIG_NUMBER,
     .offset = AT(rate_shared),
     .number = 0,
     .least = 0,
     .most = SERVICE_RATE_MAX,
     .sentence =
         "Requests a second that a shared service takes of which the directory says no rate, "
         "shared evenly among who asks; 0: no limit."},
    {.name = "rate_restricted",
     .kind = CONFIG_NUMBER,
     .offset = AT(rate_restricted),
     .number = 0,
     .least = 0,
     .most = SERVICE_RATE_MAX,
     .sentence =
         "Requests a second that a restricted service takes of which the directory says no rate, "
         "shared evenly among who asks; 0: no limit."},
    {.name = "body_bytes_max",
     .kind = CONFIG_NUMBER,
     .offset = AT(body_bytes_max),
     .number = HTTP_BODY_BYTES_DEFAULT,
     .least = 1024,
     .most = HTTP_BODY_BYTES_MAX,
     .sentence = "Largest body carried in either direction, in bytes."},
    {.name = "exchanges_max",
     .kind = CONFIG_NUMBER,
     .offset = AT(exchanges_max),
     .number = EXCHANGES_LIVE_DEFAULT,
     .least = 1,
     .most = 100000,
     .sentence = "Exchanges in flight at once; more are answered 503."},
    {.name = "wal_segment_mib",
     .kind = CONFIG_NUMBER,
     .offset = AT(wal_segment_mib),
     .number = WAL_SEGMENT_MIB_DEFAULT,
     .least = 1,
     .most = 1024,
     .sentence = "Size of a write-ahead segment in MiB; made in advance and filled with zeros."},
    {.name = "checkpoint_every_ms",
     .kind = CONFIG_NUMBER,
     .offset = AT(checkpoint_every_ms),
     .number = CHECKPOINT_EVERY_MS_DEFAULT,
     .least = 100,
     .most = 3600000,
     .sentence = "How often a grown log gets a signed checkpoint, in milliseconds."},
    {.name = "publish_every_ms",
     .kind = CONFIG_NUMBER,
     .offset = AT(publish_every_ms),
     .number = PUBLISH_EVERY_MS_DEFAULT,
     .least = 100,
     .most = 3600000,
     .sentence = "How often a grown log is published as tiles and cosigned, in milliseconds."},
    {.name = "start_check_ms",
     .kind = CONFIG_NUMBER,
     .offset = AT(start_check_ms),
     .number = START_CHECK_MS_DEFAULT,
     .least = 100,
     .most = 60000,
     .sentence = "How long a start waits for what witnesses, outside ones too, and peers know of "
                 "this log, in milliseconds; a server that nobody answers starts after it. Whoever "
                 "could not be "
                 "asked in that time is counted in an event."},
    {.name = "peer_check_every_ms",
     .kind = CONFIG_NUMBER,
     .offset = AT(peer_check_every_ms),
     .number = PEER_CHECK_EVERY_MS_DEFAULT,
     .least = 100,
     .most = 86400000,
     .sentence =
         "How often a peer, chosen at random, must prove that its log still contains what it "
         "was when it last wrote to us, with its witnesses' cosignatures, in milliseconds."},
    {.name = "reconcile_hour",
     .kind = CONFIG_NUMBER,
     .offset = AT(reconcile_hour),
     .number = RECONCILE_HOUR_DEFAULT,
     .least = -1,
     .most = 23,
     .sentence = "In which hour (UTC) of each day the leaves of exchanges are compared with each "
                 "peer's, at a random moment; -1: every reconcile_every_ms instead."},
    {.name = "reconcile_every_ms",
     .kind = CONFIG_NUMBER,
     .offset = AT(reconcile_every_ms),
     .number = RECONCILE_EVERY_MS_DEFAULT,
     .least = 1000,
     .most = 7LL * 86400000,
     .sentence = "With reconcile_hour = -1: how often that is done, in milliseconds; later by a "
                 "random part of a tenth of it."},
    {.name = "reconcile_days",
     .kind = CONFIG_NUMBER,
     .offset = AT(reconcile_days),
     .number = RECONCILE_DAYS_DEFAULT,
     .least = 1,
     .most = RECONCILE_DAYS_MAX,
     .sentence = "Of how many days back."},
    {.name = "reconcile_grace_ms",
     .kind = CONFIG_NUMBER,
     .offset = AT(reconcile_grace_ms),
     .number = RECONCILE_GRACE_MS_DEFAULT,
     .least = RECONCILE_GRACE_MS_LEAST,
     .most = 86400000,
     .sentence = "Younger leaves are neither compared nor taken in late, for they may still be on "
                 "their way, in milliseconds. The default is how old a message may be that a "
                 "server takes; with less, which a server warns of when it starts, a message that "
                 "comes late by itself may be told as missing, and stand in the log twice."},
    {.name = "late_a_day",
     .kind = CONFIG_NUMBER,
     .offset = AT(late_a_day),
     .number = LATE_A_DAY_DEFAULT,
     .least = 0,
     .most = 100000000,
     .sentence = "How many late leaves of one peer are taken into the log in a day."},
    {.name = "late_an_hour",
     .kind = CONFIG_NUMBER,
     .offset = AT(late_an_hour),
     .number = LATE_AN_HOUR_DEFAULT,
     .least = 0,
     .most = 100000000,
     .sentence = "How many late leaves of one peer that are dated in one hour are taken into the "
                 "log at all."},
    {.name = "late_free_mib",
     .kind = CONFIG_NUMBER,
     .offset = AT(late_free_mib),
     .number = LATE_FREE_MIB_DEFAULT,
     .least = 0,
     .most = 100000000,
     .sentence = "With less room than this for the log, in MiB, no late leaves are taken in."},
    {.name = "witness_alarm_ms",
     .kind = CONFIG_NUMBER,
     .offset = AT(witness_alarm_ms),
     .number = WITNESS_ALARM_MS_DEFAULT,
     .least = 1000,
     .most = 86400000,
     .sentence = "An alarm when no quorum of witnesses, or no time stamp, has confirmed a log that "
                 "grew for so long, in milliseconds; longer than publish_every_ms. A peer whose "
                 "checkpoint stays behind what it signed to us is given as long."},
    {.name = "witness_stop_ms",
     .kind = CONFIG_NUMBER,
     .offset = AT(witness_stop_ms),
     .number = WITNESS_STOP_MS_DEFAULT,
     .least = 1000,
     .most = 30LL * 86400000,
     .sentence = "After so long without confirmation of a log that grew exchanges are refused, in "
                 "milliseconds."},
    {.name = "witness_logs",
     .kind = CONFIG_LIST,
     .offset = AT(witness_logs),
     .text = "",
     .sentence =
         "Verifier keys of logs in no directory of ours that this server cosigns over HTTP, "
         "such as an audit office's own: NAME+HEX+BASE64."},
    {.name = "evidence_front",
     .kind = CONFIG_TEXT,
     .offset = AT(evidence_front),
     .text = "",
     .sentence = "Where gateways ask for evidence that is read over HTTP: ipc://, or tcp:// with "
                 "gateway_keys. Empty: no process serves it."},
    {.name = "evidence_log",
     .kind = CONFIG_CHOICE,
     .offset = AT(evidence_log),
     .text = "off",
     .choices = "off|tiles|entries",
     .sentence = "What whoever reaches a gateway's evidence_listen may read of this log: nothing; "
                 "checkpoints and hashes; or also the entries, which say who asked whom when, for "
                 "what purpose and case."},
    {.name = "evidence_records",
     .kind = CONFIG_CHOICE,
     .offset = AT(evidence_records),
     .text = "off",
     .choices = "off|on",
     .sentence = "May gateways fetch records of our own subsystems, payloads included (/asic)? The "
                 "process that makes them then holds the store key."},
    {.name = "payload",
     .kind = CONFIG_CHOICE,
     .offset = AT(payload),
     .text = "full",
     .choices = "full|metadata|off",
     .sentence = "What is kept of payloads: all; metadata: only the salt, so that whoever has the "
                 "payload can prove it; off: nothing. Signed headers are always kept."},
    {.name = "retention_days",
     .kind = CONFIG_NUMBER,
     .offset = AT(retention_days),
     .number = 0,
     .least = 0,
     .most = RETENTION_DAYS_MAX,
     .sentence = "After how many days payloads are erased, by a record in the log; 0: never."},
    {.name = "log_days",
     .kind = CONFIG_NUMBER,
     .offset = AT(log_days),
     .number = 0,
     .least = 0,
     .most = RETENTION_DAYS_MAX,
     .sentence = "After how many days the log itself is removed from its beginning, in whole "
                 "segments, by a record in it; payloads must be erased before. 0: never."},
    {.name = "service",
     .kind = CONFIG_SECTION,
     .offset = AT(service),
     .section = payload_settings,
     .section_size = sizeof(struct payload_section),
     .sentence =
         "Other rules for payloads, asked or answered; titled with the identifier of a service, "
         "or of the subsystem or member that provides several. The longest decides."},
    {.name = "keys_passphrase",
     .kind = CONFIG_TEXT,
     .offset = AT(keys_passphrase),
     .text = "",
     .sentence = "Where the passphrase of sealed keys is read from: credential:NAME (of systemd), "
                 "file:PATH, fd:N or terminal. Empty: keys are not sealed."},
    {.name = "sign_key",
     .kind = CONFIG_TEXT,
     .offset = AT(sign_key),
     .text = "",
     .sentence = "The member's signing key in a PKCS#11 token, as an URI of RFC 7512: "
                 "pkcs11:token=LABEL;object=LABEL?pin-source=file:PATH (or credential:NAME). "
                 "Empty: sign.key in keys_folder."},
    {.name = "token_module",
     .kind = CONFIG_TEXT,
     .offset = AT(token_module),
     .text = "",
     .sentence = "The token's PKCS#11 module, by its whole path; with sign_key."},
    {.name = "token_sessions",
     .kind = CONFIG_NUMBER,
     .offset = AT(token_sessions),
     .number = TOKEN_SESSIONS_DEFAULT,
     .least = 1,
     .most = TOKEN_SESSIONS_MAX,
     .sentence = "How many signatures a token is asked for at once, each in a session and thread "
                 "of its own."},
    {.name = "event_level",
     .kind = CONFIG_CHOICE,
     .offset = AT(event_level),
     .text = "info",
     .choices = "debug|info|warn|error",
     .sentence = "Least level of events shown; debug has one line per exchange with its times."},
    {0},
};

/* All rules stand in the header of each STARTED record, where they must fit. */
static fault check_services(const struct server_config *self, const char *path)
{
    size_t bytes = 0;
    if (self->service.count >= KEEPING_RULES_MAX)
        return RAISE(BAD_CONFIG, "%s: more than %d sections \"service\"", path,
                     KEEPING_RULES_MAX - 1);
    for (size_t i = 0; i < self->service.count; i++) {
        const struct payload_section *section = self->service.section[i];
        char canonical[ID_TEXT_BYTES_MAX + 1];
        struct bus_id id;
        bytes += strlen(section->title);
        if (failed(bus_id_parse(span_of_text(section->title), ID_MEMBER, ID_SERVICE, &id)))
            return RAISE(BAD_CONFIG, "%s: service \"%s\" is no service, subsystem or member", path,
                         section->title);
        bus_id_text(&id, id.parts, canonical, sizeof canonical);
        if (strcmp(canonical, section->title) != 0)
            return RAISE(BAD_CONFIG, "%s: write service \"%s\" as \"%s\"", path, section->title,
                         canonical);
    }
    if (bytes > KEEPING_BYTES_MAX)
        return RAISE(BAD_CONFIG, "%s: the titles of all sections \"service\" have %zu bytes, of %d",
                     path, bytes, KEEPING_BYTES_MAX);
    return DONE;
}

static fault check_evidence(const struct server_config *self, const char *path)
{
    const char *front = self->evidence_front;
    bool tcp = strncmp(front, "tcp://", 6) == 0;
    struct note_key key;
    if (front[0] != '\0' && !tcp && strncmp(front, "ipc://", 6) != 0)
        return RAISE(BAD_CONFIG,
                     "%s: evidence_front = \"%s\" begins with neither ipc:// nor tcp://", path,
                     front);
    if (tcp && self->gateway_keys.count == 0)
        return RAISE(BAD_CONFIG,
                     "%s: evidence_front = \"%s\" needs gateway_keys: no gateway could come in",
                     path, front);
    if (front[0] != '\0' && strcmp(front, self->front) == 0)
        return RAISE(BAD_CONFIG, "%s: evidence_front and front are the same address", path);
    if (front[0] == '\0' && (self->evidence_log != EVIDENCE_LOG_OFF || self->evidence_records != 0))
        return RAISE(BAD_CONFIG, "%s: evidence_log and evidence_records need evidence_front", path);
    for (size_t i = 0; i < self->witness_logs.count; i++)
        if (failed(note_key_parse(span_of_text(self->witness_logs.item[i]), &key)) ||
            key.type != NOTE_LOG)
            return RAISE(BAD_CONFIG, "%s: witness_logs: \"%s\" is no verifier key of a log", path,
                         self->witness_logs.item[i]);
    return DONE;
}

static fault check_keys(const struct server_config *self, const char *path)
{
    struct token_uri uri;
    if (self->keys_passphrase[0] != '\0' && failed(secret_check(self->keys_passphrase)))
        return RAISE(BAD_CONFIG, "%s: keys_passphrase: %s", path, fault_detail());
    if (self->sign_key[0] == '\0')
        return DONE;
    if (failed(token_uri_parse(self->sign_key, &uri)))
        return RAISE(BAD_CONFIG, "%s: sign_key: %s", path, fault_detail());
    if (strncmp(uri.pin_source, "fd:", 3) == 0 || strcmp(uri.pin_source, "terminal") == 0)
        return RAISE(BAD_CONFIG,
                     "%s: sign_key: a token is logged in to again whenever it comes back, so its "
                     "pin-source is file:PATH or credential:NAME",
                     path);
    if (self->token_module[0] != '/')
        return RAISE(BAD_CONFIG, "%s: sign_key needs token_module, by its whole path", path);
    return DONE;
}

/* One way or the other, and all of it. */
static fault check_directory(const struct server_config *self, const char *path)
{
    int given = (self->directory_folder[0] != '\0') + (self->trust_file[0] != '\0') +
                (self->authority_file[0] != '\0');
    if (given == (self->anchor_file[0] != '\0' ? 0 : 3))
        return DONE;
    return RAISE(BAD_CONFIG,
                 "%s: the directory needs either anchor_file, or directory_folder with trust_file "
                 "and authority_file; given are %s%d of the other three",
                 path, self->anchor_file[0] != '\0' ? "anchor_file and " : "", given);
}

static fault check_seals(const struct server_config *self, const char *path)
{
    if (self->seal_roll_s == 0 || self->seal_overlap_s <= (SEAL_MADE_MAX - 2) * self->seal_roll_s)
        return DONE;
    return RAISE(BAD_CONFIG,
                 "%s: seal_overlap_s = %lld: with a new key every %lld s there would be more than "
                 "%d at once",
                 path, (long long)self->seal_overlap_s, (long long)self->seal_roll_s,
                 SEAL_MADE_MAX);
}

static fault check(const struct server_config *self, const char *path)
{
    struct bus_id id;
    if (failed(bus_id_parse(span_of_text(self->server), ID_SERVER, ID_SERVER, &id)))
        return RAISE(BAD_CONFIG, "%s: server = \"%s\" is not INSTANCE/CLASS/MEMBER/SERVERCODE",
                     path, self->server);
    bool tcp = strncmp(self->front, "tcp://", 6) == 0;
    if (!tcp && strncmp(self->front, "ipc://", 6) != 0)
        return RAISE(BAD_CONFIG, "%s: front = \"%s\" begins with neither ipc:// nor tcp://", path,
                     self->front);
    if (tcp && self->gateway_keys.count == 0)
        return RAISE(BAD_CONFIG, "%s: front = \"%s\" needs gateway_keys: no gateway could come in",
                     path, self->front);
    for (size_t i = 0; i < self->gateway_keys.count; i++) {
        uint8_t key[CURVE_KEY_BYTES];
        if (failed(z85_read(span_of_text(self->gateway_keys.item[i]), key, sizeof key)))
            return RAISE(BAD_CONFIG, "%s: gateway_keys: \"%s\" is not 40 characters of Z85", path,
                         self->gateway_keys.item[i]);
    }
    if (self->mesh_listen.count == 0)
        return RAISE(BAD_CONFIG, "%s: mesh_listen is empty: no server could reach this one", path);
    for (size_t i = 0; i < self->mesh_listen.count; i++)
        if (strncmp(self->mesh_listen.item[i], "tcp://", 6) != 0)
            return RAISE(BAD_CONFIG, "%s: mesh_listen \"%s\" does not begin with tcp://", path,
                         self->mesh_listen.item[i]);
    TRY(check_keys(self, path));
    TRY(check_seals(self, path));
    TRY(check_directory(self, path));
    TRY(check_evidence(self, path));
    return check_services(self, path);
}

fault server_config_read(const char *path, struct server_config *out)
{
    *out = (struct server_config){0};
    TRY(config_read(path, NULL, server_settings, out));
    fault f = check(out, path);
    if (failed(f))
        server_config_clear(out);
    return f;
}

fault server_config_anchor(struct server_config *self)
{
    if (self->anchor_file[0] == '\0')
        return DONE;
    fault f = anchor_file_read(self->anchor_file, &self->anchor);
    return failed(f) ? RAISE(BAD_CONFIG, "%s", fault_detail()) : DONE;
}

void server_config_clear(struct server_config *self)
{
    anchor_file_free(&self->anchor);
    config_clear(server_settings, self);
}
