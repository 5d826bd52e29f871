// SPDX-License-Identifier: MIT
#include "gateway/client_list.h"

#include "gateway/write.h"
#include "lib/bus/bus_id.h"

void client_list_clear(struct client_list *self)
{
    bytes_free(&self->json);
    bytes_free(&self->xml);
    *self = (struct client_list){0};
}

void client_list_begin(struct client_list *self, uint64_t epoch, uint32_t total)
{
    client_list_clear(self);
    self->epoch = epoch;
    self->total = total;
    self->json = bytes_empty(4096);
    self->xml = bytes_empty(8192);
    write_text(self->json, "{\"member\":[");
    write_text(self->xml, "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n"
                          "<ns2:clientList xmlns:ns1=\"http://x-road.eu/xsd/identifiers\""
                          " xmlns:ns2=\"http://x-road.eu/xsd/xroad.xsd\">");
}

static void write_json_member(struct bytes *out, const char *name, const char *text)
{
    write_format(out, ",\"%s\":", name);
    write_json(out, span_of_text(text));
}

static void write_as_json(const struct bus_id *id, const struct front_client *client,
                          struct bytes *out)
{
    bool subsystem = id->parts == ID_SUBSYSTEM;
    write_format(out, "{\"id\":{\"object_type\":\"%s\"", subsystem ? "SUBSYSTEM" : "MEMBER");
    write_json_member(out, "xroad_instance", id->part[0]);
    write_json_member(out, "member_class", id->part[1]);
    write_json_member(out, "member_code", id->part[2]);
    if (subsystem)
        write_json_member(out, "subsystem_code", id->part[3]);
    write_text(out, "}");
    if (client->name[0] != '\0')
        write_json_member(out, "name", client->name);
    if (subsystem && client->subsystem_name[0] != '\0')
        write_json_member(out, "subsystem_name", client->subsystem_name);
    write_text(out, "}");
}

static void write_element(struct bytes *out, const char *name, const char *text)
{
    write_format(out, "<%s>", name);
    write_xml(out, span_of_text(text));
    write_format(out, "</%s>", name);
}

static void write_as_xml(const struct bus_id *id, const struct front_client *client,
                         struct bytes *out)
{
    bool subsystem = id->parts == ID_SUBSYSTEM;
    write_format(out, "<ns2:member><ns2:id ns1:objectType=\"%s\">",
                 subsystem ? "SUBSYSTEM" : "MEMBER");
    write_element(out, "ns1:xRoadInstance", id->part[0]);
    write_element(out, "ns1:memberClass", id->part[1]);
    write_element(out, "ns1:memberCode", id->part[2]);
    if (subsystem)
        write_element(out, "ns1:subsystemCode", id->part[3]);
    write_text(out, "</ns2:id>");
    if (client->name[0] != '\0')
        write_element(out, "ns2:name", client->name);
    if (subsystem && client->subsystem_name[0] != '\0')
        write_element(out, "ns2:subsystemName", client->subsystem_name);
    write_text(out, "</ns2:member>");
}

fault client_list_add(struct client_list *self, const struct front_client *client)
{
    struct bus_id id;
    if (self->count == self->total ||
        failed(bus_id_parse(span_of_text(client->id), ID_MEMBER, ID_SUBSYSTEM, &id)))
        return RAISE(BAD_FRAME, "client %u of %u is none", self->count + 1, self->total);
    if (self->count++ > 0)
        write_text(self->json, ",");
    write_as_json(&id, client, self->json);
    write_as_xml(&id, client, self->xml);
    if (self->json->size > CLIENTS_BODY_BYTES_MAX || self->xml->size > CLIENTS_BODY_BYTES_MAX)
        return RAISE(SERVICE_TOO_LARGE, "the list of %u members and subsystems is over %u bytes",
                     self->total, CLIENTS_BODY_BYTES_MAX);
    return DONE;
}

fault client_list_end(struct client_list *self)
{
    if (self->count != self->total)
        return RAISE(BAD_FRAME, "%u clients of %u", self->count, self->total);
    write_text(self->json, "]}");
    write_text(self->xml, "</ns2:clientList>");
    return DONE;
}
