// SPDX-License-Identifier: MIT
#include "lib/base/jail.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define UNDER_SANITIZER 1
#else
#define UNDER_SANITIZER 0
#endif

/* What the keys process lives on: descriptors that are open already, memory, time, its end. */
static const int keys_allowed[] = {
    SCMP_SYS(read),
    SCMP_SYS(write),
    SCMP_SYS(readv),
    SCMP_SYS(writev),
    SCMP_SYS(recvfrom),
    SCMP_SYS(sendto),
    SCMP_SYS(recvmsg),
    SCMP_SYS(sendmsg),
    SCMP_SYS(poll),
    SCMP_SYS(ppoll),
    SCMP_SYS(epoll_wait),
    SCMP_SYS(epoll_pwait),
    SCMP_SYS(clock_gettime),
    SCMP_SYS(clock_nanosleep),
    SCMP_SYS(gettimeofday),
    SCMP_SYS(time),
    SCMP_SYS(getrandom),
    SCMP_SYS(futex),
    SCMP_SYS(brk),
    SCMP_SYS(munmap),
    SCMP_SYS(mremap),
    SCMP_SYS(madvise),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigaction),
    SCMP_SYS(sigaltstack),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
    SCMP_SYS(getpid),
    SCMP_SYS(gettid),
    SCMP_SYS(close),
    SCMP_SYS(fstat),
    SCMP_SYS(newfstatat),
    SCMP_SYS(lseek),
    SCMP_SYS(restart_syscall),
    SCMP_SYS(rseq),
    SCMP_SYS(set_robust_list),
    SCMP_SYS(sched_yield),
    SCMP_SYS(munlock),
    SCMP_SYS(mlock),
};

/* What no process that faces strangers has any business with. */
static const int others_forbidden[] = {
    SCMP_SYS(execve),
    SCMP_SYS(execveat),
    SCMP_SYS(ptrace),
    SCMP_SYS(fork),
    SCMP_SYS(vfork),
    SCMP_SYS(process_vm_readv),
    SCMP_SYS(process_vm_writev),
    SCMP_SYS(mount),
    SCMP_SYS(umount2),
    SCMP_SYS(pivot_root),
    SCMP_SYS(chroot),
    SCMP_SYS(kexec_load),
    SCMP_SYS(init_module),
    SCMP_SYS(finit_module),
    SCMP_SYS(delete_module),
    SCMP_SYS(bpf),
    SCMP_SYS(setuid),
    SCMP_SYS(setgid),
    SCMP_SYS(setreuid),
    SCMP_SYS(setregid),
    SCMP_SYS(setresuid),
    SCMP_SYS(setresgid),
    SCMP_SYS(setgroups),
    SCMP_SYS(keyctl),
    SCMP_SYS(add_key),
    SCMP_SYS(request_key),
    SCMP_SYS(perf_event_open),
    SCMP_SYS(userfaultfd),
    SCMP_SYS(unshare),
    SCMP_SYS(setns),
};

/* ... and of one that only talks to its parent. */
static const int network_forbidden[] = {
    SCMP_SYS(socket), SCMP_SYS(socketpair), SCMP_SYS(connect), SCMP_SYS(bind),
    SCMP_SYS(listen), SCMP_SYS(accept),     SCMP_SYS(accept4),
};

static int add_keys_rules(scmp_filter_ctx filter)
{
    int error = 0;
    for (size_t i = 0; i < sizeof keys_allowed / sizeof keys_allowed[0]; i++)
        error |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, keys_allowed[i], 0);
    /* memory, but none that can be executed */
    error |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
                              SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
    error |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
                              SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
    /* abort(3) signals itself, and nobody else */
    error |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
                              SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid()));
    return error;
}

static int add_other_rules(scmp_filter_ctx filter)
{
    int error = 0;
    for (size_t i = 0; i < sizeof others_forbidden / sizeof others_forbidden[0]; i++)
        if (!UNDER_SANITIZER || others_forbidden[i] != SCMP_SYS(ptrace))
            error |= seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, others_forbidden[i], 0);
    if (UNDER_SANITIZER)
        return error; /* the leak checker starts a process that traces this one */
    /* threads, but no processes; clone3 hides its flags in memory, so the C library must fall back
     */
    error |= seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, SCMP_SYS(clone), 1,
                              SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0));
    error |= seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
    return error;
}

static int add_network_rules(scmp_filter_ctx filter)
{
    int error = 0;
    for (size_t i = 0; i < sizeof network_forbidden / sizeof network_forbidden[0]; i++)
        error |= seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, network_forbidden[i], 0);
    return error;
}

/* The sanitizers' runtimes need more; what makes the jail a jail stays. */
static int add_sanitizer_rules(scmp_filter_ctx filter)
{
    static const int forbidden[] = {SCMP_SYS(execve),  SCMP_SYS(execveat), SCMP_SYS(socket),
                                    SCMP_SYS(connect), SCMP_SYS(bind),     SCMP_SYS(fork),
                                    SCMP_SYS(vfork),   SCMP_SYS(open),     SCMP_SYS(creat)};
    int error = 0;
    for (size_t i = 0; i < sizeof forbidden / sizeof forbidden[0]; i++)
        error |= seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, forbidden[i], 0);
    /* the runtime reads /proc at its end; nothing is opened for writing */
    for (scmp_datum_t mode = O_WRONLY; mode <= O_RDWR; mode++)
        error |= seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, SCMP_SYS(openat), 1,
                                  SCMP_A2(SCMP_CMP_MASKED_EQ, O_ACCMODE, mode));
    return error;
}

static fault load_filter(enum jail_kind kind)
{
    bool closed = kind == JAIL_KEYS && !UNDER_SANITIZER;
    scmp_filter_ctx filter = seccomp_init(closed ? SCMP_ACT_KILL_PROCESS : SCMP_ACT_ALLOW);
    if (filter == NULL)
        return RAISE(INTERNAL, "no jail: libseccomp does not start");
    int error = closed              ? add_keys_rules(filter)
                : kind == JAIL_KEYS ? add_sanitizer_rules(filter)
                                    : add_other_rules(filter);
    if (kind == JAIL_AUTHORITY)
        error |= add_network_rules(filter);
    if (error == 0)
        error = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
    if (error == 0)
        error = seccomp_load(filter);
    seccomp_release(filter);
    return error == 0 ? DONE
                      : RAISE(INTERNAL, "the jail could not be closed: %s", strerror(-error));
}

fault jail_enter(enum jail_kind kind)
{
    tzset(); /* the first event's time would open the zone's file, and be killed for it */
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return RAISE(INTERNAL, "no_new_privs: %s", strerror(errno));
    if (!UNDER_SANITIZER && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
        return RAISE(INTERNAL, "dumpable: %s", strerror(errno));
    return load_filter(kind);
}
