// SPDX-License-Identifier: MIT
#include "lib/bus/server_set.h"

#include "directory.pb-c.h"

void server_set_from(const struct directory_server *server, struct server_set *out)
{
    *out = (struct server_set){.id = server->id};
    for (; out->addresses < server->addresses; out->addresses++)
        out->address[out->addresses] = server->address[out->addresses];
    out->transport_key = span_of(server->transport_key, sizeof server->transport_key);
    for (; out->seal_keys < server->seal_keys; out->seal_keys++)
        out->seal_key[out->seal_keys] =
            span_of(server->seal_key[out->seal_keys], sizeof server->seal_key[0]);
    note_key_text(&server->log_key, out->log_vkey, sizeof out->log_vkey);
    if (server->is_witness)
        note_key_text(&server->witness_key, out->witness_vkey, sizeof out->witness_vkey);
    for (; out->certificates < server->signers; out->certificates++)
        out->certificate[out->certificates] =
            certificate_der(server->signer[out->certificates]->certificate);
}

/* protobuf-c wants writable memory and only reads it. */
static char *lend(const char *text)
{
    return (char *)(uintptr_t)text;
}

static ProtobufCBinaryData binary(struct span bytes)
{
    return (ProtobufCBinaryData){bytes.size, (uint8_t *)(uintptr_t)bytes.at};
}

fault server_set_act(const struct server_set *self, server_set_carry_out *carry_out, void *owner)
{
    Chaski__ServerSet server = CHASKI__SERVER_SET__INIT;
    Chaski__Act act = CHASKI__ACT__INIT;
    char *addresses[DIRECTORY_ADDRESSES_MAX];
    ProtobufCBinaryData seals[SEAL_KEYS_MAX], certificates[DIRECTORY_CERTIFICATES_MAX];
    server.id = lend(self->id);
    for (size_t i = 0; i < self->addresses; i++)
        addresses[i] = lend(self->address[i]);
    for (size_t i = 0; i < self->seal_keys; i++)
        seals[i] = binary(self->seal_key[i]);
    for (size_t i = 0; i < self->certificates; i++)
        certificates[i] = binary(self->certificate[i]);
    server.n_address = self->addresses;
    server.address = addresses;
    server.transport_key = binary(self->transport_key);
    server.n_seal_key = self->seal_keys;
    server.seal_key = seals;
    server.log_vkey = lend(self->log_vkey);
    server.witness_vkey = lend(self->witness_vkey);
    server.n_certificate = self->certificates;
    server.certificate = certificates;
    act.act_case = CHASKI__ACT__ACT_SERVER_SET;
    act.server_set = &server;
    return carry_out(owner, &act);
}
