// SPDX-License-Identifier: MIT
/* chaski keys roll transport: has the directory name the server's next transport key, which the
 * running node holds already. */
#include "lib/base/options.h"
#include "lib/base/text.h"
#include "lib/bus/server_set.h"
#include "lib/net/socket.h"
#include "tools/chaski/keys.h"
#include "tools/chaski/member.h"

#include "directory.pb-c.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static fault take_options(int argc, char **argv, struct member_options *out)
{
    const struct option_place known[] = {MEMBER_OPTIONS(out), {0}};
    return options_take("keys roll transport", argc, argv, known, NULL);
}

static fault read_next(const struct member_options *options, uint8_t out[CURVE_KEY_BYTES])
{
    char path[MEMBER_PATH_BYTES + 32];
    struct curve_keys keys;
    if (!text_format(path, sizeof path, "%s/transport.next.key", options->keys.folder))
        return RAISE(BAD_REQUEST, "the folder's name is too long");
    if (access(path, F_OK) != 0)
        return RAISE(NOT_FOUND, "%s: the node makes it at its start, when anchor_file is set",
                     path);
    fault f = keys_read_transport(path, options->keys.passphrase, &keys);
    memcpy(out, keys.public_key, CURVE_KEY_BYTES);
    explicit_bzero(&keys, sizeof keys);
    return f;
}

static fault carry_out(void *owner, Chaski__Act *act)
{
    struct member *member = owner;
    uint64_t epoch = 0;
    TRY(member_do(member, act, &epoch));
    printf("the next transport key stands in the directory, epoch %" PRIu64
           "; the node takes it into use when it has that, and makes the one after it at its next "
           "start\n",
           epoch);
    return DONE;
}

/* All of the server as it stands, and another transport key. */
static fault change(struct member *member, const uint8_t key[CURVE_KEY_BYTES])
{
    struct server_set set;
    server_set_from(member->server, &set);
    set.transport_key = span_of(key, CURVE_KEY_BYTES);
    return server_set_act(&set, carry_out, member);
}

fault keys_roll_transport(int argc, char **argv)
{
    OWNED(member) member = NULL;
    struct member_options options = {0};
    uint8_t key[CURVE_KEY_BYTES];
    TRY(take_options(argc, argv, &options));
    TRY(member_options_fill(&options));
    TRY(read_next(&options, key));
    TRY(member_open(&options, &member));
    if (memcmp(member->server->transport_key, key, sizeof key) == 0)
        return RAISE(REFUSED, "it stands there already: the node takes it into use by itself");
    return change(member, key);
}
