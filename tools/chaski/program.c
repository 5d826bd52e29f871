// SPDX-License-Identifier: MIT
#include "tools/chaski/program.h"

#include "lib/base/text.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static fault find_beside(const char *name, char path[PATH_MAX])
{
    char self[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    if (length < 0)
        return RAISE(IO_FAILED, "/proc/self/exe: %s", strerror(errno));
    self[length] = '\0';
    *(strrchr(self, '/') + 1) = '\0';
    if (!text_format(path, PATH_MAX, "%s%s", self, name))
        return RAISE(IO_FAILED, "the name of this program's folder is too long");
    return DONE;
}

static fault read_all(int fd, struct bytes *out)
{
    char piece[4096];
    ssize_t got;
    while ((got = read(fd, piece, sizeof piece)) > 0)
        TRY(bytes_append(out, span_of(piece, (size_t)got)));
    return DONE;
}

fault program_run(char *const argv[], struct bytes *output)
{
    char path[PATH_MAX];
    int line[2], status = 0;
    TRY(find_beside(argv[0], path));
    if (pipe(line) != 0)
        return RAISE(IO_FAILED, "%s", strerror(errno));
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        if (output != NULL)
            dup2(line[1], STDOUT_FILENO);
        close(line[0]);
        close(line[1]);
        execv(path, argv);
        _exit(127);
    }
    close(line[1]);
    fault f = output != NULL ? read_all(line[0], output) : DONE;
    close(line[0]);
    TRY(f);
    if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
        return RAISE(REFUSED, "%s refused it", argv[0]);
    return DONE;
}
