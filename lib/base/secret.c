// SPDX-License-Identifier: MIT
#include "lib/base/secret.h"

#include "lib/base/text.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#define FD_MAX 1023
#define SOURCES "credential:NAME, file:PATH, fd:N or terminal"

struct secret *secret_new(size_t size)
{
    assert(size <= SECRET_BYTES_MAX);
    size_t mapped = sizeof(struct secret) + size;
    struct secret *self =
        mmap(NULL, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (self == MAP_FAILED)
        abort(); /* as owned_new: a page that is not there */
    /* best effort: a small limit of locked memory is no reason not to start */
    (void)mlock(self, mapped);
    (void)madvise(self, mapped, MADV_DONTDUMP);
    self->size = size;
    self->mapped = mapped;
    return self;
}

struct secret *secret_copy(struct span from)
{
    struct secret *self = secret_new(from.size);
    if (from.size > 0)
        memcpy(self->data, from.at, from.size);
    return self;
}

void secret_free(struct secret **self)
{
    if (*self == NULL)
        return;
    size_t mapped = (*self)->mapped;
    explicit_bzero(*self, mapped);
    munmap(*self, mapped);
    *self = NULL;
}

// --- sources ------------------------------------------------------------------------------------

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static bool is_credential_name(const char *name)
{
    return name[0] != '\0' && strchr(name, '/') == NULL && strcmp(name, ".") != 0 &&
           strcmp(name, "..") != 0;
}

fault secret_check(const char *source)
{
    uint64_t fd = 0;
    if (strcmp(source, "terminal") == 0 || (begins(source, "file:") && source[5] != '\0'))
        return DONE;
    if (begins(source, "credential:") && is_credential_name(source + 11))
        return DONE;
    if (begins(source, "fd:") && !failed(text_number(span_of_text(source + 3), FD_MAX, &fd)))
        return DONE;
    /* not repeated: it may be the secret itself, written where its source belongs */
    return RAISE(BAD_CONFIG, "a secret is read from " SOURCES ", and this is none of them");
}

/* All that is there, but never more than one byte over what is taken. */
static fault read_all(int fd, const char *what, struct secret **out)
{
    OWNED(secret) all = secret_new(PASSPHRASE_BYTES_MAX + 2);
    size_t size = 0;
    for (ssize_t more = 1; more != 0 && size < all->size;) {
        more = read(fd, all->data + size, all->size - size);
        if (more < 0 && errno != EINTR)
            return RAISE(BAD_PASSPHRASE, "reading the %s: %m", what);
        size += more > 0 ? (size_t)more : 0;
    }
    if (size > 0 && all->data[size - 1] == '\n')
        size--;
    if (size == 0)
        return RAISE(BAD_PASSPHRASE, "the %s is empty", what);
    if (size > PASSPHRASE_BYTES_MAX || memchr(all->data, '\0', size) != NULL)
        return RAISE(BAD_PASSPHRASE, "the %s is longer than %d bytes, or holds a zero byte", what,
                     PASSPHRASE_BYTES_MAX);
    *out = secret_copy(span_of(all->data, size));
    return DONE;
}

/* Files of systemd's credentials show their access list as rights of a group: their folder guards
 * them. */
static fault read_file(const char *path, bool guarded, const char *what, struct secret **out)
{
    struct stat facts;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return RAISE(BAD_PASSPHRASE, "the %s, %s: %m", what, path);
    fault f = DONE;
    if (fstat(fd, &facts) != 0 || !S_ISREG(facts.st_mode))
        f = RAISE(BAD_PASSPHRASE, "the %s: %s is not a regular file", what, path);
    else if (!guarded && (facts.st_mode & 077) != 0)
        f = RAISE(BAD_PASSPHRASE, "the %s: %s is open to others than its owner: chmod 600 %s", what,
                  path, path);
    if (!failed(f))
        f = read_all(fd, what, out);
    close(fd);
    return f;
}

fault secret_path(const char *source, char *out, size_t room)
{
    const char *folder = getenv("CREDENTIALS_DIRECTORY");
    TRY(secret_check(source));
    if (begins(source, "file:"))
        return text_format(out, room, "%s", source + 5)
                   ? DONE
                   : RAISE(BAD_CONFIG, "the name of a secret's file is too long");
    if (!begins(source, "credential:"))
        return RAISE(BAD_CONFIG, "a secret that stands in no file");
    if (folder == NULL || folder[0] == '\0')
        return RAISE(BAD_CONFIG,
                     "there is no $CREDENTIALS_DIRECTORY: give LoadCredential=%s:FILE in the unit",
                     source + 11);
    return text_format(out, room, "%s/%s", folder, source + 11)
               ? DONE
               : RAISE(BAD_CONFIG, "the name of a credential is too long");
}

// --- a terminal ---------------------------------------------------------------------------------

/* One line, without the terminal showing it. */
static fault ask_once(int tty, const char *question, const char *what, struct secret **out)
{
    struct termios before, quiet;
    OWNED(secret) line = secret_new(PASSPHRASE_BYTES_MAX + 2);
    if (tcgetattr(tty, &before) != 0)
        return RAISE(BAD_PASSPHRASE, "the terminal cannot be asked for the %s: %m", what);
    quiet = before;
    quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
    quiet.c_lflag |= ICANON;
    tcsetattr(tty, TCSAFLUSH, &quiet);
    dprintf(tty, "%s: ", question);
    ssize_t got = read(tty, line->data, line->size);
    dprintf(tty, "\n");
    tcsetattr(tty, TCSAFLUSH, &before);
    if (got <= 1 || line->data[got - 1] != '\n' || (size_t)got - 1 > PASSPHRASE_BYTES_MAX)
        return RAISE(BAD_PASSPHRASE, "no %s of 1 to %d bytes was typed", what,
                     PASSPHRASE_BYTES_MAX);
    *out = secret_copy(span_of(line->data, (size_t)got - 1));
    return DONE;
}

static fault ask(const char *what, bool twice, struct secret **out)
{
    char question[128];
    OWNED(secret) first = NULL;
    OWNED(secret) second = NULL;
    int tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    if (tty < 0)
        return RAISE(BAD_PASSPHRASE, "there is no terminal to ask for the %s: %m", what);
    fault f = ask_once(tty, what, what, &first);
    if (!failed(f) && twice) {
        text_format(question, sizeof question, "%s, again", what);
        f = ask_once(tty, question, what, &second);
    }
    close(tty);
    TRY(f);
    if (twice && !span_equal(secret_span(first), secret_span(second)))
        return RAISE(BAD_PASSPHRASE, "the two are not the same");
    *out = TAKE(first);
    return DONE;
}

static fault read_source(const char *source, const char *what, bool is_new, struct secret **out)
{
    TRY(secret_check(source));
    if (begins(source, "credential:") || begins(source, "file:")) {
        char path[PATH_MAX];
        TRY(secret_path(source, path, sizeof path));
        return read_file(path, begins(source, "credential:"), what, out);
    }
    if (strcmp(source, "terminal") == 0)
        return ask(what, is_new, out);
    uint64_t fd = 0;
    TRY(text_number(span_of_text(source + 3), FD_MAX, &fd));
    return read_all((int)fd, what, out);
}

fault secret_read(const char *source, const char *what, struct secret **out)
{
    return read_source(source, what, false, out);
}

fault secret_read_new(const char *source, const char *what, struct secret **out)
{
    return read_source(source, what, true, out);
}
