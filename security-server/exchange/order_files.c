// SPDX-License-Identifier: MIT
#include "security-server/exchange/order_files.h"

#include "lib/base/event.h"
#include "lib/base/file.h"
#include "lib/base/text.h"

#include <dirent.h>
#include <unistd.h>

#define PATH_BYTES 512

static void path_of(const struct order_files *self, const char *ending, char out[PATH_BYTES])
{
    text_format(out, PATH_BYTES, "%s/%s%s", self->folder, self->name, ending);
}

fault order_files_begin(struct order_files *self, const char *audit_folder, const char *ending)
{
    self->ending = ending;
    self->name[0] = '\0';
    if (!text_format(self->folder, sizeof self->folder, "%s/orders", audit_folder))
        return RAISE(BAD_CONFIG, "the log folder's name is too long");
    return file_make_folders(self->folder, 0700);
}

static bool is_order(const struct order_files *self, const char *name)
{
    uint8_t id[EXCHANGE_ID_BYTES];
    return strlen(name) == ORDER_NAME_BYTES - 1 + strlen(self->ending) &&
           strcmp(name + ORDER_NAME_BYTES - 1, self->ending) == 0 &&
           !failed(text_unhex(span_of(name, ORDER_NAME_BYTES - 1), id, sizeof id));
}

bool order_files_find(struct order_files *self)
{
    if (self->name[0] != '\0')
        return false;
    DIR *dir = opendir(self->folder);
    for (struct dirent *entry;
         dir != NULL && self->name[0] == '\0' && (entry = readdir(dir)) != NULL;)
        if (is_order(self, entry->d_name)) {
            memcpy(self->name, entry->d_name, ORDER_NAME_BYTES - 1);
            self->name[ORDER_NAME_BYTES - 1] = '\0';
        }
    if (dir != NULL)
        closedir(dir);
    return self->name[0] != '\0';
}

fault order_files_read(const struct order_files *self, size_t most, struct bytes **out)
{
    char path[PATH_BYTES];
    path_of(self, self->ending, path);
    return file_read(path, most, out);
}

bool order_files_named(const struct order_files *self, struct span id)
{
    char text[ORDER_NAME_BYTES] = "";
    if (id.size == EXCHANGE_ID_BYTES)
        text_hex(id, text, sizeof text);
    return strcmp(text, self->name) == 0;
}

void order_files_answer(struct order_files *self, struct span result)
{
    char path[PATH_BYTES];
    path_of(self, ".result", path);
    fault f = file_replace(path, result, 0600);
    if (failed(f))
        EVENT(ERROR, "order.not_answered", E_FAULT(f));
    path_of(self, self->ending, path);
    if (!failed(f) && unlink(path) != 0)
        EVENT(ERROR, "order.not_removed", E_TEXT("order", self->name));
    self->name[0] = '\0';
}
