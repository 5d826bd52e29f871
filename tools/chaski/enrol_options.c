// SPDX-License-Identifier: MIT
/* The command line of `chaski enrol`. */
#include "tools/chaski/enrol.h"

#include "lib/base/options.h"
#include "lib/base/secret.h"
#include "lib/base/text.h"
#include "lib/bus/bus_id.h"

static fault take_subsystem(const char *text, struct enrol_options *out)
{
    char *equals = strchr(text, '=');
    if (equals == NULL)
        return RAISE(BAD_REQUEST, "--subsystem CODE=NAME");
    *equals = '\0'; /* of our own command line */
    out->subsystem[out->subsystems++] = (struct enrol_subsystem){text, equals + 1};
    return DONE;
}

fault enrol_options_take(int argc, char **argv, struct enrol_options *out)
{
    const char *subsystem[ENROLMENT_SUBSYSTEMS_MAX];
    size_t subsystems = 0;
    const struct option_place known[] = {
        OPTION_MUST("anchor", &out->anchor),
        OPTION_MUST("folder", &out->keys.folder),
        OPTION_TEXT("server", &out->keys.server),
        OPTION_TEXT("name", &out->keys.name),
        OPTION_LIST("address", out->keys.address, &out->keys.addresses, DIRECTORY_ADDRESSES_MAX),
        OPTION_LIST("subsystem", subsystem, &subsystems, ENROLMENT_SUBSYSTEMS_MAX),
        OPTION_FLAG("public", &out->public_agency),
        OPTION_TEXT("at", &out->at),
        OPTION_TEXT("fingerprint", &out->fingerprint),
        OPTION_TEXT("audit", &out->audit),
        OPTION_TEXT("request", &out->request),
        OPTION_TEXT("request-out", &out->request_out),
        OPTION_TEXT("certificate", &out->certificate),
        OPTION_TEXT("chain", &out->chain),
        OPTION_TEXT("passphrase", &out->keys.passphrase),
        OPTION_TEXT("token", &out->keys.token),
        OPTION_TEXT("module", &out->keys.module),
        OPTION_FLAG("anew", &out->anew),
        OPTION_NUMBER("wait", &out->wait_s, 0, ENROL_WAIT_S_MAX),
        {0},
    };
    TRY(options_take("enrol", argc, argv, known, NULL));
    for (size_t i = 0; i < subsystems; i++)
        TRY(take_subsystem(subsystem[i], out));
    if (out->certificate != NULL ? out->request_out != NULL : out->chain != NULL)
        return RAISE(BAD_REQUEST, "first --request-out FILE; when the outside authority has issued "
                                  "it --certificate FILE, with --chain FILE");
    if (out->keys.passphrase != NULL && failed(secret_check(out->keys.passphrase)))
        return RAISE(BAD_REQUEST, "%s", fault_detail());
    return DONE;
}

fault enrol_options_check(const struct enrol_options *options)
{
    struct bus_id id;
    if (options->keys.server == NULL || options->keys.name == NULL || options->keys.addresses == 0)
        return RAISE(BAD_REQUEST, "a first request needs --server, --name and --address");
    return keys_check_server(options->keys.server, &id);
}
