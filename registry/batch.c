// SPDX-License-Identifier: MIT
/* Many acts of a file in one go: one command a line without program and store, all or none. */
#include "registry/commands.h"

#include "lib/base/file.h"

#include <stdlib.h>

#define BATCH_BYTES_MAX (64u << 20)
#define WORDS_MAX 64

static fault run_words(struct store *store, int count, char **words, struct said *said)
{
    struct arguments arguments;
    int used = 0;
    const struct command *command = commands_find(count, words, &used);
    if (command == NULL)
        return RAISE(BAD_REQUEST, "'%.100s' is no command", words[0]);
    if (command->act == NULL)
        return RAISE(BAD_REQUEST, "'%s' cannot stand in a batch, which holds acts only",
                     command->noun);
    TRY(arguments_parse(&command->shape, count - used, words + used, &arguments));
    return command->act(store, &arguments, said);
}

static fault run_line(struct store *store, char *line, struct said *said)
{
    char *words[WORDS_MAX];
    int count = 0;
    TRY(arguments_split(line, words, WORDS_MAX, &count));
    return count == 0 ? DONE : run_words(store, count, words, said);
}

fault batch_run(struct store *store, const char *path, struct said *said)
{
    OWNED(bytes) text = NULL;
    TRY(file_read(path, BATCH_BYTES_MAX, &text));
    if (memchr(text->data, '\0', text->size) != NULL)
        return RAISE(REFUSED, "%s is not a text", path);
    TRY(bytes_append(text, span_of("", 1)));
    size_t number = 1;
    for (char *line = (char *)text->data; line != NULL; number++) {
        char *end = strchr(line, '\n');
        if (end != NULL)
            *end = '\0';
        if (failed(run_line(store, line, said)))
            return RAISE(REFUSED, "%s:%zu: %s. Nothing of the batch was recorded", path, number,
                         fault_detail());
        line = end == NULL ? NULL : end + 1;
    }
    return DONE;
}
