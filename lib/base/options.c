// SPDX-License-Identifier: MIT
#include "lib/base/options.h"

#include "lib/base/text.h"

#include <assert.h>
#include <getopt.h>
#include <inttypes.h>

#define CODE_OF_FIRST 256 /* above every character that getopt answers with */

struct reading {
    const char *command;
    const struct option_place *known;
    size_t options;
    bool seen[OPTIONS_MAX];
    struct option row[OPTIONS_MAX + 1];
};

static void begin(const char *command, const struct option_place *known, struct reading *out)
{
    *out = (struct reading){.command = command, .known = known};
    for (const struct option_place *at = known; at->name != NULL; at++) {
        assert(out->options < OPTIONS_MAX);
        out->row[out->options] =
            (struct option){at->name, at->flag == NULL ? required_argument : no_argument, NULL,
                            CODE_OF_FIRST + (int)out->options};
        out->options++;
    }
}

static fault take_number(const struct option_place *option, const char *value)
{
    uint64_t number = 0;
    if (failed(text_number(span_of_text(value), option->most, &number)) || number < option->least)
        return RAISE(BAD_REQUEST, "--%s takes a number from %" PRIu64 " to %" PRIu64, option->name,
                     option->least, option->most);
    *option->number = number;
    return DONE;
}

static fault take_listed(const struct option_place *option, const char *value)
{
    if (*option->count >= option->most)
        return RAISE(BAD_REQUEST, "--%s is given more than %" PRIu64 " times", option->name,
                     option->most);
    option->list[(*option->count)++] = value;
    return DONE;
}

static fault take(struct reading *self, size_t which, const char *value)
{
    const struct option_place *option = &self->known[which];
    if (option->list != NULL)
        return take_listed(option, value);
    if (self->seen[which])
        return RAISE(BAD_REQUEST, "--%s is given twice", option->name);
    self->seen[which] = true;
    if (option->number != NULL)
        return take_number(option, value);
    if (option->flag != NULL)
        *option->flag = true;
    else
        *option->text = value;
    return DONE;
}

static fault take_operands(const struct reading *self, size_t count, char **words,
                           const struct operand_place *operands)
{
    size_t most = operands == NULL ? 0 : operands->most;
    if (count > most)
        return RAISE(BAD_REQUEST, "%s: '%s' is one word too many", self->command, words[most]);
    if (operands == NULL)
        return DONE;
    if (count < operands->least)
        return RAISE(BAD_REQUEST, "%s needs %s", self->command, operands->name);
    for (size_t i = 0; i < count; i++)
        operands->place[i] = words[i];
    if (operands->count != NULL)
        *operands->count = count;
    return DONE;
}

static fault check_must(const struct reading *self)
{
    for (size_t i = 0; i < self->options; i++)
        if (self->known[i].must && !self->seen[i])
            return RAISE(BAD_REQUEST, "%s needs --%s", self->command, self->known[i].name);
    return DONE;
}

fault options_take(const char *command, int argc, char **argv, const struct option_place *known,
                   const struct operand_place *operands)
{
    struct reading self;
    begin(command, known, &self);
    optind = 0; /* begins anew: a command may have read words before */
    opterr = 0;
    for (int code; (code = getopt_long(argc, argv, ":", self.row, NULL)) != -1;) {
        if (code == ':')
            return RAISE(BAD_REQUEST, "%s needs a value", argv[optind - 1]);
        if (code < CODE_OF_FIRST)
            return RAISE(BAD_REQUEST, "%s is no option of %s", argv[optind - 1], command);
        TRY(take(&self, (size_t)(code - CODE_OF_FIRST), optarg));
    }
    TRY(take_operands(&self, (size_t)(argc - optind), argv + optind, operands));
    return check_must(&self);
}
