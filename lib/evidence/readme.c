// SPDX-License-Identifier: MIT
#include "lib/evidence/readme.h"

#include "lib/base/clock.h"
#include "lib/base/text.h"
#include "lib/bus/header.h"
#include "lib/evidence/printable.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#define PIECE_BYTES 8192 /* an identifier of which each byte is escaped fits */

/* A README that lacks a piece is none: it is written whole or not at all. */
struct writer {
    struct bytes *text;
    fault fault;
};

__attribute__((format(printf, 2, 3))) static void say(struct writer *self, const char *format, ...)
{
    char piece[PIECE_BYTES];
    va_list words;
    va_start(words, format);
    vsnprintf(piece, sizeof piece, format, words);
    va_end(words);
    if (!failed(self->fault))
        self->fault = bytes_append_text(self->text, piece);
}

static void say_field(struct writer *self, const char *name, struct span words)
{
    if (words.size == 0)
        return;
    OWNED(printable) shown = printable_of(words);
    say(self, "  %-14s %s\n", name, shown->text);
}

static void say_time(struct writer *self, const char *name, int64_t time_ms)
{
    char text[32];
    clock_text(time_ms, text, sizeof text);
    say(self, "  %-14s %s\n", name, text);
}

static const char *kind_words(enum header_kind kind)
{
    switch (kind) {
    case HEADER_REQUEST:
        return "a request";
    case HEADER_RESPONSE:
        return "an answer";
    case HEADER_FAULT:
        return "a refusal or failure";
    case HEADER_STARTED:
        return "a note that the server started";
    case HEADER_STOPPED:
        return "a note that the server stopped";
    case HEADER_INCIDENT:
        return "a note of an incident";
    case HEADER_STAMPED:
        return "a time stamp over the log, written down in it";
    case HEADER_ERASED:
        return "a note that payloads were erased";
    case HEADER_LATE:
        return "a record of the other server that was missing here and came late";
    case HEADER_KEY_CARD:
        return "a note to which key letters to this server are sealed from now on";
    case HEADER_NOTICE:
        return "a note that a restriction ends or has ended";
    case HEADER_LOOKED:
        return "a note that somebody with an order looked for a person";
    case HEADER_PERMIT:
        return "a permit to ask a citizen for evidence";
    case HEADER_PERMIT_DENIED:
        return "a refusal of a permit to ask a citizen for evidence";
    case HEADER_PRUNED:
        return "a note that the beginning of the log was removed";
    }
    return "a record";
}

static void say_who(struct writer *self, const struct record *record,
                    const struct record_source *from, const struct readme_facts *facts)
{
    const struct header *header = header_of(record->read);
    const struct certificate_subject *subject = certificate_subject(facts->signer->certificate);
    char id[37];
    log_view_id_text(header->exchange_id, id);
    OWNED(printable) origin = printable_of(span_of_text(from->view->log_key.name));
    say(self,
        "This folder holds entry %" PRIu64 " of the log %s: %s.\n\nWHO SAID WHAT TO WHOM, WHEN\n\n",
        record->index, origin->text, kind_words(header->kind));
    say_field(self, "signed by", span_of_text(subject->organisation));
    say_field(self, "... server", header->sender_server);
    say_field(self, "from", header->sender);
    say_field(self, "to", header->receiver);
    say_field(self, "... server", header->receiver_server);
    say_field(self, "service", header->service);
    say_time(self, "when", header->time_ms);
    say(self, "  %-14s %s\n", "exchange", id);
    say_field(self, "purpose", header->purpose);
    say_field(self, "procedure", header->procedure);
    say_field(self, "requirement", header->requirement);
    say_field(self, "source", header->source);
    say_field(self, "territory", header->territory);
    say_field(self, "legal basis", header->legal_basis);
    say_field(self, "case", header->case_ref);
    say_field(self, "allowed by", header->rule);
    if (header->fault != OK)
        say(self, "  %-14s %s\n", "outcome", fault_sentence((enum fault_code)header->fault));
    if (header->has_reply_to)
        say(self, "  %-14s the request whose leaf hash stands in the header\n", "answers");
    say_field(self, "log of", span_of_text(from->view->server));
}

/* What is not in the folder the reader will rarely have: the command is to run as it stands. */
static void say_check(struct writer *self, const struct record_source *from,
                      const struct readme_facts *facts, bool in_batch)
{
    say(self,
        "\nHOW TO CHECK IT\n\n"
        "  bash verify.sh\n\n"
        "It needs bash, coreutils, xxd and openssl, and none of our programs. It says PASS or "
        "FAIL, and\n"
        "one line for each check. What it compares with lies in this folder, and whoever gave you "
        "the\n"
        "folder may have made that up, and verify.sh with it. So take verify.sh from where you "
        "trust,\n"
        "and give it what the authority has made known:\n\n"
        "  bash verify.sh THIS-FOLDER --trust trust.pem --directory-vkey directory.vkey \\\n"
        "       --log-vkey log.vkey%s%s\n\n"
        "The signature alone, with stock openssl (prints \"CAdES Verification successful\"):\n\n"
        "  openssl cms -verify -cades -binary -inform DER -in leaf.p7m -certfile signer.pem \\\n"
        "          -CAfile trust.pem -out %s.out && cmp %s.out %s\n",
        facts->policy ? " --policy policy" : "", from->tsa_file != NULL ? " --tsa tsa.pem" : "",
        in_batch ? "head" : "header", in_batch ? "head" : "header",
        in_batch ? "batch.head" : "header.bin");
    if (in_batch)
        say(self, "\nThe header was signed together with others: batch.head has the root of a tree "
                  "over all of\n"
                  "them, and batch.place the way from header.bin to it, which verify.sh goes.\n");
}

static void say_payload(struct writer *self, const struct readme_facts *facts)
{
    if (facts->payload_damaged) {
        say(self, "(no payload.bin)  The payload in the log is damaged: only the commitment is "
                  "left. Run\n"
                  "                  chaski-audit verify on the log.\n");
        return;
    }
    if (facts->payload == PAYLOAD_HELD)
        say(self, "payload.bin       32 bytes of salt, then what was said. Its SHA-256 stands in "
                  "the signed\n"
                  "                  header: this content was signed for, and no other.\n");
    else if (facts->payload == PAYLOAD_ERASED)
        say(self, "(no payload.bin)  The payload was erased. The header still commits to it: "
                  "whoever holds a\n"
                  "                  copy can show that it is the one, nobody can guess it from "
                  "the commitment.\n");
    else if (facts->payload == PAYLOAD_SALT)
        say(self,
            "(no payload.bin)  Of the payload only the salt was kept, which is salt.bin if it "
            "could be opened.\n"
            "                  Whoever has the payload can show that it is the one: its "
            "SHA-256 with the\n"
            "                  salt before it stands in the header:  cat salt.bin PAYLOAD | "
            "sha256sum\n");
    else if (facts->payload == PAYLOAD_SEALED)
        say(self, "(no payload.bin)  The payload is sealed: the export was made without the "
                  "node's store key.\n"
                  "                  The header commits to it.\n");
    else
        say(self,
            "(no payload.bin)  The log holds no payload for this entry, only the commitment.\n");
}

static void say_cover(struct writer *self, const struct readme_facts *facts)
{
    if (facts->cover == NULL) {
        say(self,
            "(no proof)        NOT YET UNDER A CHECKPOINT: no signed head of the log covered this "
            "entry\n"
            "                  when it was exported, so its place in the log is not proved, and "
            "verify.sh\n"
            "                  says FAIL inclusion. Export it again after the next checkpoint.\n");
        return;
    }
    say(self,
        "record.tlog-proof the way from leaf.p7m up to the root of the log "
        "(c2sp.org/tlog-proof@v1):\n"
        "                  this entry stood at its place when the checkpoint was signed\n"
        "checkpoint        the head of the log over %" PRIu64
        " entries, signed by the log's key (log.vkey),\n"
        "                  and by the witnesses whose lines it carries\n",
        facts->cover->head.size);
    if (facts->stamped)
        say(self, "checkpoint.tst    RFC 3161 time stamp over the file checkpoint: all of this was "
                  "there before\n");
    else
        say(self, "(no time stamp)   The log holds no time stamp over a checkpoint that covers "
                  "this entry.\n");
    if (facts->later)
        say(self,
            "later/            the same under the newest stamped checkpoint, for when the first\n"
            "                  time stamp's certificates or algorithms have grown old\n");
}

static void say_files(struct writer *self, const struct record_source *from,
                      const struct readme_facts *facts, bool in_batch)
{
    say(self, "\nWHAT EACH FILE PROVES\n\n"
              "leaf.p7m          the log entry: a CAdES signature (DER CMS) with the signed header "
              "inside\n"
              "header.bin        that header, taken out: protobuf message chaski.Header\n");
    if (in_batch)
        say(self, "batch.head        what was signed: the number of headers in the batch and the "
                  "root over them\n"
                  "batch.place       where header.bin stands among them: its number, theirs, and "
                  "the path\n");
    say_payload(self, facts);
    say(self, "signer.pem        the certificate of who signed\n"
              "chain.pem         the authorities above it\n"
              "trust.pem         the anchors it was exported with; use your own copy\n");
    if (facts->signer->authority != NULL)
        say(self,
            "issuer.pem        the outside authority that issued signer.pem: an act in directory/ "
            "says\n"
            "                  that it is trusted\n"
            "status/           what that authority said of signer.pem, before the record and "
            "after it, as\n"
            "                  far as it was kept (OCSP or CRL, by the time it speaks of)\n");
    say_cover(self, facts);
    say(self, "log.vkey          verifier key of the log\n");
    if (facts->policy)
        say(self,
            "policy            whose cosignatures under the checkpoint count, as the directory "
            "says\n"
            "                  or whoever exported this (c2sp.org/tlog-policy)\n");
    if (from->tsa_file != NULL)
        say(self, "tsa.pem           anchors of the time-stamping authority; use your own copy\n");
    say(self,
        "directory/        the acts of the authority that registered the signer and this log, and "
        "those\n"
        "                  that revoked or removed anything of it, each with its place in the "
        "directory\n"
        "                  (epoch %" PRIu64 "). Revocations are acts of the directory.\n"
        "                  policy in it: whose cosignatures that directory is to carry, as it "
        "says\n"
        "                  itself; use your own (--directory-policy). No file: it asks for none\n",
        standing_epoch(from->standing));
    if (facts->signer->revoked_since_ms != 0) {
        char text[32];
        clock_text(facts->signer->revoked_since_ms, text, sizeof text);
        say(self, "                  The certificate was REVOKED, in force since %s.\n", text);
    }
    say(self, "verify.sh         checks all of it\n");
}

static void say_limits(struct writer *self, const struct readme_facts *facts)
{
    say(self,
        "\nWHAT IS NOT PROVED\n\n"
        "* That there was nothing else. What both parties never recorded stands in no log.\n"
        "* That the payload is true, or that the receiver understood it: only who signed for it.\n"
        "* Who acted inside the organisation. A stolen signing key signs as well as its owner, "
        "until it\n"
        "  is revoked.\n"
        "* That no revocation came after the epoch named above: ask the authority for a newer "
        "directory.\n"
        "* That the log shows the same history to everybody: that is what witnesses and other logs "
        "are\n"
        "  for. One record says nothing of the entries beside it; chaski-audit verify does.\n");
    if (!facts->stamped)
        say(self, "* When it was signed, otherwise than by the word of the signer and of those "
                  "whose signatures\n"
                  "  the checkpoint carries: there is no time stamp.\n");
}

fault readme_write(const struct record *record, const struct record_source *from,
                   const struct readme_facts *facts, struct bytes **out)
{
    struct writer writer = {.text = bytes_empty(8192), .fault = DONE};
    say_who(&writer, record, from, facts);
    say_check(&writer, from, facts, record->parts.place.size > 0);
    say_files(&writer, from, facts, record->parts.place.size > 0);
    say_limits(&writer, facts);
    OWNED(bytes) text = writer.text;
    TRY(writer.fault);
    *out = TAKE(text);
    return DONE;
}
