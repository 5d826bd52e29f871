// SPDX-License-Identifier: MIT
#include "lib/base/jail.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define UNDER_SANITIZER 1 /* their runtimes need a wider jail */
#else
#define UNDER_SANITIZER 0
#endif

#define FINE 0
#define JAIL_FAILED 101
#define STILL_FREE 102

/* What an act in the jail comes to: the child's wait status. */
static int in_jail(enum jail_kind kind, void (*act)(void))
{
    pid_t child = fork();
    CU_ASSERT_FATAL(child >= 0);
    if (child == 0) {
        const struct rlimit no_core = {0, 0};
        setrlimit(RLIMIT_CORE, &no_core);
        if (failed(jail_enter(kind)))
            _exit(JAIL_FAILED);
        act();
        _exit(STILL_FREE);
    }
    int status = -1;
    waitpid(child, &status, 0);
    return status;
}

static bool is_killed(enum jail_kind kind, void (*act)(void))
{
    int status = in_jail(kind, act);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS;
}

static bool is_fine(enum jail_kind kind, void (*act)(void))
{
    int status = in_jail(kind, act);
    return WIFEXITED(status) && WEXITSTATUS(status) == FINE;
}

/* acts */

static void open_file(void)
{
    open("/etc/passwd", O_RDONLY);
}

static void open_socket(void)
{
    socket(AF_INET, SOCK_STREAM, 0);
}

static void start_program(void)
{
    char *arguments[] = {NULL};
    execve("/bin/true", arguments, arguments);
}

static void start_program_by_descriptor(void)
{
    char *arguments[] = {NULL};
    syscall(SYS_execveat, -1, "/bin/true", arguments, arguments, 0);
}

static void start_process(void)
{
    if (fork() == 0)
        _exit(0);
}

static void trace(void)
{
    ptrace(PTRACE_TRACEME, 0, NULL, NULL);
}

static void read_other_memory(void)
{
    struct iovec mine = {0}, theirs = {0};
    process_vm_readv(getpid(), &mine, 1, &theirs, 1, 0);
}

static void become_another(void)
{
    if (setuid(getuid()) == 0)
        _exit(STILL_FREE);
}

static void make_code(void)
{
    mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void *page;

static void turn_memory_into_code(void)
{
    mprotect(page, 4096, PROT_READ | PROT_EXEC);
}

static void signal_another(void)
{
    kill(getppid(), 0);
}

static void signal_anothers_thread(void)
{
    syscall(SYS_tgkill, getppid(), getppid(), 0);
}

static void *nothing(void *argument)
{
    return argument;
}

static void start_thread(void)
{
    pthread_t thread;
    void *back = NULL;
    if (pthread_create(&thread, NULL, nothing, &page) != 0)
        _exit(1);
    pthread_join(thread, &back);
    _exit(back == &page ? FINE : 2);
}

static int pair[2];
static int watched;

/* All that the keys process does, on descriptors that were open before. */
static void serve(void)
{
    char text[8] = {0};
    struct iovec part = {text, 4};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    struct pollfd poll_one = {pair[1], POLLIN, 0};
    struct epoll_event event;
    struct timespec now, wait = {0, 1000};
    if (sendmsg(pair[0], &message, 0) != 4 || poll(&poll_one, 1, 1000) != 1 ||
        epoll_wait(watched, &event, 1, 1000) != 1 || recvmsg(pair[1], &message, 0) != 4 ||
        write(pair[0], "four", 4) != 4 || read(pair[1], text, 4) != 4)
        _exit(1);
    if (clock_gettime(CLOCK_MONOTONIC, &now) != 0 || nanosleep(&wait, NULL) != 0 ||
        getrandom(text, 8, 0) != 8 || sched_yield() != 0)
        _exit(2);
    for (size_t size = 16; size < (64u << 20); size *= 4) {
        char *memory = malloc(size);
        if (memory == NULL)
            _exit(3);
        memset(memory, 1, size);
        memory = realloc(memory, size * 2);
        free(memory);
    }
    close(pair[0]);
    _exit(FINE);
}

/* What an event's time does for the first time in a process: the zone's file is read, if it was not
 * yet. localtime() looks again when TZ is another one, so that this process can show it. */
static void tell_the_time(void)
{
    time_t moment = 1790000000;
    _exit(localtime(&moment) != NULL ? FINE : 1);
}

static void end_on_a_mistake(void)
{
    abort();
}

static void use_files_and_sockets(void)
{
    int fd = open("/etc/passwd", O_RDONLY);
    char text[8];
    if (fd < 0 || read(fd, text, 8) != 8 || socket(AF_INET, SOCK_STREAM, 0) < 0)
        _exit(1);
    _exit(FINE);
}

static void ask_for_more_rights(void)
{
    int no_new = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
    int dumpable = prctl(PR_GET_DUMPABLE, 0, 0, 0, 0);
    _exit(no_new == 1 && (UNDER_SANITIZER || dumpable == 0) ? FINE : 1);
}

/* tests */

static const enum jail_kind facing_strangers[] = {JAIL_EXCHANGE, JAIL_GATEWAY, JAIL_SCRIBE};

static void test_the_keys_process_opens_nothing_and_starts_nothing(void)
{
    CU_ASSERT(is_killed(JAIL_KEYS, open_socket));
    CU_ASSERT(is_killed(JAIL_KEYS, start_program));
    CU_ASSERT(is_killed(JAIL_KEYS, start_program_by_descriptor));
    if (UNDER_SANITIZER)
        return;
    CU_ASSERT(is_killed(JAIL_KEYS, open_file));
    CU_ASSERT(is_killed(JAIL_KEYS, start_process));
    CU_ASSERT(is_killed(JAIL_KEYS, start_thread));
    CU_ASSERT(is_killed(JAIL_KEYS, trace));
    CU_ASSERT(is_killed(JAIL_KEYS, read_other_memory));
    CU_ASSERT(is_killed(JAIL_KEYS, become_another));
    CU_ASSERT(is_killed(JAIL_KEYS, signal_another));
    CU_ASSERT(is_killed(JAIL_KEYS, signal_anothers_thread));
}

static void test_the_keys_process_makes_no_code(void)
{
    if (UNDER_SANITIZER)
        return;
    page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CU_ASSERT_FATAL(page != MAP_FAILED);
    CU_ASSERT(is_killed(JAIL_KEYS, make_code));
    CU_ASSERT(is_killed(JAIL_KEYS, turn_memory_into_code));
    munmap(page, 4096);
}

static void test_the_keys_process_serves_on_what_is_open(void)
{
    CU_ASSERT_FATAL(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) == 0);
    watched = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN};
    CU_ASSERT_FATAL(epoll_ctl(watched, EPOLL_CTL_ADD, pair[1], &event) == 0);
    CU_ASSERT(is_fine(JAIL_KEYS, serve));
    close(pair[0]);
    close(pair[1]);
    close(watched);
}

static void test_the_time_zone_is_read_before_the_jail_closes(void)
{
    CU_ASSERT_FATAL(setenv("TZ", ":America/Bogota", 1) == 0);
    CU_ASSERT(is_fine(JAIL_KEYS, tell_the_time));
    unsetenv("TZ");
    tzset();
}

static void test_a_mistake_in_the_keys_process_ends_it_as_an_abort(void)
{
    int status = in_jail(JAIL_KEYS, end_on_a_mistake);
    CU_ASSERT(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

static void test_who_faces_strangers_starts_no_program(void)
{
    for (size_t i = 0; i < 2; i++) {
        CU_ASSERT(is_killed(facing_strangers[i], start_program));
        CU_ASSERT(is_killed(facing_strangers[i], start_program_by_descriptor));
        CU_ASSERT(is_killed(facing_strangers[i], read_other_memory));
        CU_ASSERT(is_killed(facing_strangers[i], become_another));
        if (UNDER_SANITIZER)
            continue;
        CU_ASSERT(is_killed(facing_strangers[i], start_process));
        CU_ASSERT(is_killed(facing_strangers[i], trace));
    }
}

static void test_who_faces_strangers_still_works(void)
{
    for (size_t i = 0; i < 2; i++) {
        CU_ASSERT(is_fine(facing_strangers[i], use_files_and_sockets));
        CU_ASSERT(is_fine(facing_strangers[i], start_thread));
        CU_ASSERT(is_fine(facing_strangers[i], ask_for_more_rights));
    }
}

/* A thread that ran before is inside as well. */
static int to_thread[2];

static void *open_a_socket_when_told(void *argument)
{
    char told;
    if (read(to_thread[0], &told, 1) == 1)
        open_socket();
    return argument;
}

static void test_threads_that_ran_before_are_in_the_jail(void)
{
    CU_ASSERT_FATAL(pipe(to_thread) == 0);
    pid_t child = fork();
    if (child == 0) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, open_a_socket_when_told, NULL) != 0 ||
            failed(jail_enter(JAIL_KEYS)) || write(to_thread[1], "!", 1) != 1)
            _exit(JAIL_FAILED);
        pthread_join(thread, NULL);
        _exit(STILL_FREE);
    }
    int status = -1;
    waitpid(child, &status, 0);
    CU_ASSERT(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
    close(to_thread[0]);
    close(to_thread[1]);
}

SUITE(jail, TEST(test_the_keys_process_opens_nothing_and_starts_nothing),
      TEST(test_the_keys_process_makes_no_code), TEST(test_the_keys_process_serves_on_what_is_open),
      TEST(test_the_time_zone_is_read_before_the_jail_closes),
      TEST(test_a_mistake_in_the_keys_process_ends_it_as_an_abort),
      TEST(test_who_faces_strangers_starts_no_program), TEST(test_who_faces_strangers_still_works),
      TEST(test_threads_that_ran_before_are_in_the_jail))
