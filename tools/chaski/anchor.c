// SPDX-License-Identifier: MIT
/* chaski anchor: what an anchor file says, and the fingerprint that two people compare. */
#include "tools/chaski/commands.h"

#include "lib/base/clock.h"
#include "lib/base/text.h"
#include "lib/bus/anchor_file.h"
#include "lib/crypto/digest.h"

#include <stdio.h>

static void print_time(const char *word, int64_t time_s)
{
    char text[32];
    clock_text(time_s * 1000, text, sizeof text);
    printf("%-12s %s\n", word, text);
}

static void print(const struct anchor_file *anchor)
{
    char hex[2 * SHA256_BYTES + 1], vkey[400];
    note_key_text(&anchor->directory, vkey, sizeof vkey);
    printf("%-12s %s\n%-12s %s\n", "instance", anchor->instance, "directory", vkey);
    for (size_t i = 0; i < anchor->certificates; i++) {
        struct sha256 hash = SHA256_OF(bytes_span(anchor->certificate[i]));
        text_hex(sha256_span(&hash), hex, sizeof hex);
        printf("%-12s certificate, SHA-256 %s\n", "trust", hex);
    }
    for (size_t i = 0; i < anchor->addresses; i++)
        printf("%-12s %s\n", "address", anchor->address[i]);
    for (size_t i = 0; i < anchor->pushes; i++) {
        text_hex(span_of(anchor->push[i].key, sizeof anchor->push[i].key), hex, sizeof hex);
        printf("%-12s %s  key %s\n", "push", anchor->push[i].address, hex);
    }
    print_time("made", anchor->made_s);
    print_time("expires", anchor->expires_s);
}

fault anchor_command(int argc, char **argv)
{
    OWNED(anchor_file) anchor = NULL;
    char fingerprint[ANCHOR_FINGERPRINT_ROOM];
    if (argc != 2 || argv[1][0] == '-')
        return RAISE(BAD_REQUEST, "chaski anchor FILE");
    TRY(anchor_file_read(argv[1], &anchor));
    TRY(anchor_file_fingerprint(anchor, fingerprint));
    printf("fingerprint  %s\n", fingerprint);
    print(anchor);
    puts(
        "\nRead the fingerprint aloud to the authority on the telephone before you use this file.");
    return anchor_file_check_time(anchor, clock_wall_ms());
}
