// SPDX-License-Identifier: MIT
#include "gateway/once_only_counts.h"

#include "gateway/write.h"
#include "lib/base/text.h"
#include "lib/bus/limits.h"

#include <stdlib.h>

struct once_only_counted {
    char procedure[WORD_BYTES_MAX + 1];
    uint64_t number[COUNTS_END];
};

void once_only_counts_clear(struct once_only_counts *self)
{
    free(self->of);
    *self = (struct once_only_counts){0};
}

static struct once_only_counted *find(struct once_only_counts *self, const char *procedure)
{
    if (self->of == NULL)
        self->of = owned_array(ONCE_ONLY_COUNTED_MAX, sizeof *self->of);
    for (size_t i = 0; i < self->count; i++)
        if (strcmp(self->of[i].procedure, procedure) == 0)
            return &self->of[i];
    if (self->count == ONCE_ONLY_COUNTED_MAX)
        return &self->of[ONCE_ONLY_COUNTED_MAX - 1]; /* all others together */
    struct once_only_counted *made = &self->of[self->count++];
    text_format(made->procedure, sizeof made->procedure, "%s",
                self->count < ONCE_ONLY_COUNTED_MAX ? procedure : "others");
    return made;
}

void once_only_counts_add(struct once_only_counts *self, const char *procedure,
                          enum once_only_count what)
{
    find(self, procedure)->number[what]++;
}

void once_only_counts_write(const struct once_only_counts *self, struct bytes *out)
{
    static const char *const words[COUNTS_END] = {[COUNT_COMPLETE] = "complete",
                                                  [COUNT_INCOMPLETE] = "incomplete",
                                                  [COUNT_PERMITTED] = "permitted",
                                                  [COUNT_DENIED] = "denied"};
    write_text(out, "# HELP chaski_gateway_once_only_total Collections and permits, by procedure "
                    "and outcome.\n# TYPE chaski_gateway_once_only_total counter\n");
    for (size_t i = 0; i < self->count; i++)
        for (enum once_only_count what = 0; what < COUNTS_END; what++) {
            write_text(out, "chaski_gateway_once_only_total{procedure=");
            write_json(out, span_of_text(self->of[i].procedure));
            write_format(out, ",outcome=\"%s\"} %llu\n", words[what],
                         (unsigned long long)self->of[i].number[what]);
        }
}
