// SPDX-License-Identifier: MIT
#include "security-server/exchange/enrolment_wait.h"

#include "lib/base/clock.h"
#include "lib/base/event.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "security-server/exchange/keys_line.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <unistd.h>

#define PATH_BYTES 512
#define FILE_BYTES_MAX (2 * REGISTRY_ENROLMENT_BYTES_MAX)

struct enrolment_wait {
    struct node *node;
    void (*done)(struct node *node, fault f);
    struct loop_timer timer;
    int64_t said_ms;      /* steady; 0: never */
    uint64_t tried_epoch; /* of the directory whose certificates were all tried */
    bool listed;          /* the server stands in the directory */
    bool asking;          /* the keys process */
    size_t next;          /* certificate of the server that is tried next */
    struct bytes *asked;  /* the one that is being tried */
    struct net *net;      /* of the bell alone: without the gate, which knows nobody yet */
    struct socket *bell;  /* or NULL */
};

static bool path_in(const struct node *node, const char *name, char out[PATH_BYTES])
{
    return text_format(out, PATH_BYTES, "%s/%s", node->config->keys_folder, name);
}

static bool has_certificate(const struct node *node)
{
    char path[PATH_BYTES];
    return path_in(node, "sign.crt", path) && (access(path, F_OK) == 0 || errno != ENOENT);
}

bool enrolment_wait_is_needed(const struct node *node)
{
    return node->config->anchor != NULL && !has_certificate(node);
}

fault enrolment_wait_check(const struct enrolment_wait *self)
{
    return self->listed ? RAISE(ENROLMENT,
                                "the directory has %s with no certificate of the key that is here",
                                self->node->config->server)
                        : RAISE(ENROLMENT,
                                "%s waits until the authority has enrolled it: chaski enrol says "
                                "how its request stands",
                                self->node->config->server);
}

static void say(struct enrolment_wait *self)
{
    int64_t now_ms = clock_steady_ms();
    if (self->said_ms != 0 && now_ms - self->said_ms < NODE_ENROLMENT_SAY_MS)
        return;
    self->said_ms = now_ms;
    EVENT(WARN, "server.enrolment", E_FAULT(enrolment_wait_check(self)),
          E_NUMBER("epoch", directory_epoch(self->node->directory)));
}

// --- taking it ----------------------------------------------------------------------------------

static void end(struct enrolment_wait *self, fault f)
{
    loop_stop_timer(self->node->loop, &self->timer);
    self->done(self->node, f);
}

static fault write_certificate(const struct enrolment_wait *self)
{
    char path[PATH_BYTES];
    OWNED(certificate) certificate = NULL;
    OWNED(bytes) pem = NULL;
    TRY(certificate_parse(bytes_span(self->asked), &certificate));
    TRY(certificate_pem(certificate, &pem));
    if (!path_in(self->node, "sign.crt", path))
        return RAISE(BAD_CONFIG, "keys_folder is too long");
    fault f = file_replace(path, bytes_span(pem), 0644);
    return failed(f) ? RAISE(BAD_CONFIG,
                             "%s: the certificate stands in the directory and could not be written "
                             "here: %s; let this user write the folder",
                             path, fault_detail())
                     : DONE;
}

static void on_judged(void *owner, fault f, struct span result)
{
    struct enrolment_wait *self = owner;
    (void)result;
    self->asking = false;
    if (failed(f)) { /* of another key: the next one */
        bytes_free(&self->asked);
        loop_set_timer(self->node->loop, &self->timer, 0);
        return;
    }
    f = write_certificate(self);
    if (!failed(f))
        EVENT(INFO, "server.enrolled", E_TEXT("server", self->node->config->server),
              E_NUMBER("epoch", directory_epoch(self->node->directory)));
    end(self, f);
}

/* The public key of the request that was made with the token. */
static fault requested_key(const struct node *node, uint8_t out[P256_POINT_BYTES])
{
    char path[PATH_BYTES];
    OWNED(bytes) file = NULL;
    OWNED(bytes) request = NULL;
    if (!path_in(node, "enrolment.json", path))
        return RAISE(BAD_CONFIG, "keys_folder is too long");
    TRY(file_read(path, FILE_BYTES_MAX, &file));
    json_t *root = json_loadb((const char *)file->data, file->size, JSON_REJECT_DUPLICATES, NULL);
    const char *text =
        json_string_value(json_object_get(json_object_get(root, "request"), "certificate_request"));
    fault f = text == NULL ? RAISE(BAD_KEY, "%s holds no certificate_request", path)
                           : text_unbase64(span_of_text(text), &request);
    json_decref(root);
    TRY(f);
    return p256_of_request(bytes_span(request), out);
}

static fault is_requested(const struct enrolment_wait *self)
{
    uint8_t wanted[P256_POINT_BYTES], given[P256_POINT_BYTES];
    TRY(requested_key(self->node, wanted));
    TRY(p256_of_certificate(bytes_span(self->asked), given));
    return memcmp(wanted, given, sizeof wanted) == 0
               ? DONE
               : RAISE(BAD_KEY, "a certificate of another key than the token's");
}

static fault judge(struct enrolment_wait *self, struct span der)
{
    TRY(bytes_copy(der, &self->asked));
    self->asking = true;
    if (self->node->config->sign_key[0] != '\0')
        on_judged(self, is_requested(self), (struct span){0});
    else
        keys_line_take_certificate(self->node->keys, bytes_span(self->asked), on_judged, self);
    return DONE;
}

// --- looking ------------------------------------------------------------------------------------

static const struct directory_signer *next_candidate(struct enrolment_wait *self)
{
    const struct directory_server *server = node_self(self->node);
    self->listed = server != NULL;
    while (server != NULL && self->next < server->signers) {
        const struct directory_signer *signer = server->signer[self->next++];
        if (signer->trusted && signer->revoked_since_ms == 0)
            return signer;
    }
    return NULL;
}

static void look(struct loop_timer *timer)
{
    struct enrolment_wait *self = timer->owner;
    uint64_t epoch = directory_epoch(self->node->directory);
    loop_set_timer(self->node->loop, &self->timer, NODE_ENROLMENT_LOOK_MS);
    if (self->asking || epoch == self->tried_epoch)
        return say(self);
    const struct directory_signer *signer = next_candidate(self);
    if (signer != NULL) {
        fault f = judge(self, certificate_der(signer->certificate));
        if (failed(f))
            end(self, f);
        return;
    }
    self->tried_epoch = epoch; /* until it changes */
    self->next = 0;
    say(self);
}

// --- being reached ------------------------------------------------------------------------------

static void take_nothing(void *owner, const struct message *message)
{
    (void)owner;
    (void)message;
}

static fault hang_bell(struct enrolment_wait *self)
{
    const struct server_config *config = self->node->config;
    const struct socket_options options = {.kind = SOCKET_PUBLISHER,
                                           .queue_messages = 1,
                                           .message_bytes_max = 1024, /* what comes in */
                                           .own = &self->node->transport};
    TRY(net_new(self->node->loop, &self->net));
    TRY(socket_open(self->net, &options, take_nothing, self, &self->bell));
    for (size_t i = 0; i < config->mesh_listen.count; i++)
        TRY(socket_bind(self->bell, config->mesh_listen.item[i]));
    return DONE;
}

/* Enrolment does without; serving will not, so it is said now. */
static void listen_for_calls(struct enrolment_wait *self)
{
    fault f = hang_bell(self);
    if (failed(f))
        EVENT(WARN, "server.enrolment_not_reachable", E_FAULT(f));
}

struct enrolment_wait *enrolment_wait_new(struct node *node,
                                          void (*done)(struct node *node, fault f))
{
    struct enrolment_wait *self = owned_new(sizeof *self);
    self->node = node;
    self->done = done;
    self->timer = (struct loop_timer){.fire = look, .owner = self};
    listen_for_calls(self);
    loop_set_timer(node->loop, &self->timer, 0);
    return self;
}

void enrolment_wait_free(struct enrolment_wait **self)
{
    if (*self == NULL)
        return;
    loop_stop_timer((*self)->node->loop, &(*self)->timer);
    bytes_free(&(*self)->asked);
    socket_close(&(*self)->bell);
    net_free(&(*self)->net);
    free(*self);
    *self = NULL;
}
