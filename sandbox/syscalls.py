"""The system calls of Linux, by family, each family with the reason why a sandbox has it or not.

Laws: what stands in no family is refused like what is denied by name; the denied families are kept so that a test holds
them refused, whatever is allowed later. `tests/sandbox/test_seccomp_calls.py` compares the numbers with the kernel's headers.
Source: Linux asm/unistd_64.h (x86_64) and asm-generic/unistd.h (aarch64), 6.1.
"""

from __future__ import annotations

from dataclasses import dataclass

ARCHITECTURES = ("x86_64", "aarch64")
"""Columns of the tables below."""


@dataclass(frozen=True)
class Family:
    """Calls with one reason. `table` is "name number-on-x86_64 number-on-aarch64, …"; "-": that architecture has no such call."""

    name: str
    reason: str
    table: str

    @property
    def calls(self) -> dict[str, tuple[int | None, int | None]]:
        rows = (row.split() for row in self.table.split(","))
        return {name: (_number(one), _number(two)) for name, one, two in rows}


def _number(text: str) -> int | None:
    return None if text == "-" else int(text)


ALLOWED = (
    Family(
        "memory",
        "A process's own memory.",
        """
        brk 12 214, mmap 9 222, munmap 11 215, mremap 25 216, mprotect 10 226, madvise 28 233, msync 26 227,
        mincore 27 232, mlock 149 228, mlock2 325 284, munlock 150 229, mlockall 151 230, munlockall 152 231,
        memfd_create 319 279, membarrier 324 283, pkey_alloc 330 289, pkey_free 331 290, pkey_mprotect 329 288
        """,
    ),
    Family(
        "files",
        "Files and folders: the tree decides what is there, and the uid what may be done.",
        """
        read 0 63, write 1 64, readv 19 65, writev 20 66, pread64 17 67, pwrite64 18 68, preadv 295 69,
        pwritev 296 70, preadv2 327 286, pwritev2 328 287, open 2 -, openat 257 56, openat2 437 437, creat 85 -,
        close 3 57, close_range 436 436, lseek 8 62, dup 32 23, dup2 33 -, dup3 292 24, fcntl 72 25, flock 73 32,
        stat 4 -, fstat 5 80, lstat 6 -, newfstatat 262 79, statx 332 291, access 21 -, faccessat 269 48,
        faccessat2 439 439, readlink 89 -, readlinkat 267 78, getcwd 79 17, chdir 80 49, fchdir 81 50, getdents 78 -,
        getdents64 217 61, mkdir 83 -, mkdirat 258 34, rmdir 84 -, rename 82 -, renameat 264 38, renameat2 316 276,
        link 86 -, linkat 265 37, symlink 88 -, symlinkat 266 36, unlink 87 -, unlinkat 263 35, chmod 90 -,
        fchmod 91 52, fchmodat 268 53, chown 92 -, fchown 93 55, lchown 94 -, fchownat 260 54, umask 95 166,
        truncate 76 45, ftruncate 77 46, fallocate 285 47, fsync 74 82, fdatasync 75 83, sync 162 81, syncfs 306 267,
        sync_file_range 277 84, statfs 137 43, fstatfs 138 44, utime 132 -, utimes 235 -, utimensat 280 88,
        futimesat 261 -, fadvise64 221 223, readahead 187 213, sendfile 40 71, copy_file_range 326 285, splice 275 76,
        tee 276 77, getxattr 191 8, lgetxattr 192 9, fgetxattr 193 10, listxattr 194 11, llistxattr 195 12,
        flistxattr 196 13, setxattr 188 5, lsetxattr 189 6, fsetxattr 190 7, removexattr 197 14, lremovexattr 198 15,
        fremovexattr 199 16
        """,
    ),
    Family(
        "named pipes",
        "mkfifo of coreutils and Python; a device needs a capability that nobody has.",
        """
        mknod 133 -, mknodat 259 33
        """,
    ),
    Family(
        "pipes and events",
        "Every event loop, and inotify for what watches a folder.",
        """
        pipe 22 -, pipe2 293 59, poll 7 -, ppoll 271 73, select 23 -, pselect6 270 72, epoll_create 213 -,
        epoll_create1 291 20, epoll_ctl 233 21, epoll_wait 232 -, epoll_pwait 281 22, epoll_pwait2 441 441,
        eventfd 284 -, eventfd2 290 19, signalfd 282 -, signalfd4 289 74, inotify_init 253 -, inotify_init1 294 26,
        inotify_add_watch 254 27, inotify_rm_watch 255 28, timerfd_create 283 85, timerfd_settime 286 86,
        timerfd_gettime 287 87
        """,
    ),
    Family(
        "processes",
        "fork, exec, wait, job control of a shell; clone is allowed without namespaces only.",
        """
        fork 57 -, vfork 58 -, execve 59 221, execveat 322 281, exit 60 93, exit_group 231 94, wait4 61 260,
        waitid 247 95, getpid 39 172, getppid 110 173, gettid 186 178, getpgid 121 155, setpgid 109 154,
        getpgrp 111 -, getsid 124 156, setsid 112 157, set_tid_address 218 96, pidfd_open 434 434,
        pidfd_send_signal 424 424, prctl 157 167, arch_prctl 158 -, getcpu 309 168, uname 63 160, sysinfo 99 179,
        times 100 153, getrusage 98 165, restart_syscall 219 128
        """,
    ),
    Family(
        "threads",
        "glibc's locks and per-thread areas.",
        """
        futex 202 98, futex_waitv 449 449, set_robust_list 273 99, get_robust_list 274 100, rseq 334 293
        """,
    ),
    Family(
        "signals",
        "To oneself and one's own processes: others are not in the pid namespace.",
        """
        kill 62 129, tkill 200 130, tgkill 234 131, rt_sigaction 13 134, rt_sigprocmask 14 135, rt_sigpending 127 136,
        rt_sigreturn 15 139, rt_sigsuspend 130 133, rt_sigtimedwait 128 137, rt_sigqueueinfo 129 138,
        rt_tgsigqueueinfo 297 240, sigaltstack 131 132, pause 34 -, alarm 37 -, setitimer 38 103, getitimer 36 102
        """,
    ),
    Family(
        "time",
        "Reading clocks and sleeping.",
        """
        time 201 -, gettimeofday 96 169, clock_gettime 228 113, clock_getres 229 114, clock_nanosleep 230 115,
        nanosleep 35 101, timer_create 222 107, timer_settime 223 110, timer_gettime 224 108,
        timer_getoverrun 225 109, timer_delete 226 111
        """,
    ),
    Family(
        "identity",
        "Shells, tmux, man and Perl give themselves the uid they have; without capabilities there is no other.",
        """
        getuid 102 174, geteuid 107 175, getgid 104 176, getegid 108 177, getresuid 118 148, getresgid 120 150,
        getgroups 115 158, setuid 105 146, setgid 106 144, setreuid 113 145, setregid 114 143, setresuid 117 147,
        setresgid 119 149, setfsuid 122 151, setfsgid 123 152, setgroups 116 159, capget 125 90, capset 126 91
        """,
    ),
    Family(
        "scheduling and limits",
        "Lowering one's own; the kernel refuses to raise.",
        """
        sched_yield 24 124, sched_getaffinity 204 123, sched_setaffinity 203 122, sched_getparam 143 121,
        sched_setparam 142 118, sched_getscheduler 145 120, sched_setscheduler 144 119,
        sched_get_priority_max 146 125, sched_get_priority_min 147 126, sched_rr_get_interval 148 127,
        sched_getattr 315 275, sched_setattr 314 274, getpriority 140 141, setpriority 141 140, ioprio_get 252 31,
        ioprio_set 251 30, getrlimit 97 163, setrlimit 160 164, prlimit64 302 261
        """,
    ),
    Family(
        "sockets",
        "ZeroMQ, Tornado, multiprocessing; the families are filtered, and the network is the sandbox's own.",
        """
        bind 49 200, listen 50 201, accept 43 202, accept4 288 242, connect 42 203,
        getsockname 51 204, getpeername 52 205, sendto 44 206, recvfrom 45 207, sendmsg 46 211, recvmsg 47 212,
        sendmmsg 307 269, recvmmsg 299 243, shutdown 48 210, setsockopt 54 208, getsockopt 55 209
        """,
    ),
    Family(
        "System V IPC",
        "PostgreSQL and older libraries; the ipc namespace is the sandbox's own.",
        """
        shmget 29 194, shmat 30 196, shmctl 31 195, shmdt 67 197, semget 64 190, semop 65 193, semctl 66 191,
        semtimedop 220 192, msgget 68 186, msgsnd 69 189, msgrcv 70 188, msgctl 71 187
        """,
    ),
    Family(
        "randomness",
        "Python's secrets, ssl, uuid.",
        """
        getrandom 318 278
        """,
    ),
    Family(
        "tightening",
        "A program may give up more, never win anything: man-db, OpenSSH.",
        """
        seccomp 317 277
        """,
    ),
)
DENIED = (
    Family(
        "tracing",
        "Other processes' memory: a kernel must not read its server's token.",
        """
        ptrace 101 117, process_vm_readv 310 270, process_vm_writev 311 271, process_madvise 440 440,
        pidfd_getfd 438 438, kcmp 312 272
        """,
    ),
    Family(
        "mounting",
        "The file tree was decided before the first line of a learner's code.",
        """
        mount 165 40, umount2 166 39, pivot_root 155 41, chroot 161 51, move_mount 429 429, open_tree 428 428,
        fsopen 430 430, fsconfig 431 431, fsmount 432 432, fspick 433 433, mount_setattr 442 442,
        name_to_handle_at 303 264, open_by_handle_at 304 265, quotactl 179 60, quotactl_fd 443 443,
        fanotify_init 300 262, fanotify_mark 301 263
        """,
    ),
    Family(
        "namespaces",
        "A new user namespace gives capabilities back.",
        """
        unshare 272 97, setns 308 268
        """,
    ),
    Family(
        "kernel surface",
        "Large, little tried from unprivileged programs, needed by no course.",
        """
        add_key 248 217, request_key 249 218, keyctl 250 219, bpf 321 280, perf_event_open 298 241,
        userfaultfd 323 282, io_uring_setup 425 425, io_uring_enter 426 426, io_uring_register 427 427,
        modify_ldt 154 -, lookup_dcookie 212 18, nfsservctl 180 42, uselib 134 -, vmsplice 278 75,
        memfd_secret 447 447, remap_file_pages 216 234, mq_open 240 180, mq_unlink 241 181, mq_timedsend 242 182,
        mq_timedreceive 243 183, mq_notify 244 184, mq_getsetattr 245 185, io_setup 206 0, io_destroy 207 1,
        io_submit 209 2, io_cancel 210 3, io_getevents 208 4, io_pgetevents 333 292, landlock_create_ruleset 444 444,
        landlock_add_rule 445 445, landlock_restrict_self 446 446, personality 135 92, mbind 237 235,
        set_mempolicy 238 237, get_mempolicy 239 236, migrate_pages 256 238, move_pages 279 239,
        set_mempolicy_home_node 450 450, process_mrelease 448 448, ustat 136 -, sysfs 139 -, _sysctl 156 -
        """,
    ),
    Family(
        "machine",
        "Belongs to the machine, never to one learner.",
        """
        kexec_load 246 104, kexec_file_load 320 294, init_module 175 105, finit_module 313 273, delete_module 176 106,
        create_module 174 -, get_kernel_syms 177 -, query_module 178 -, reboot 169 142, swapon 167 224,
        swapoff 168 225, acct 163 89, syslog 103 116, settimeofday 164 170, clock_settime 227 112,
        clock_adjtime 305 266, adjtimex 159 171, iopl 172 -, ioperm 173 -, vhangup 153 58, sethostname 170 161,
        setdomainname 171 162
        """,
    ),
)
# Allowed for some arguments only: `sandbox.seccomp` says which.
CLONE, CLONE3, SOCKET, SOCKETPAIR, IOCTL = (56, 220), (435, 435), (41, 198), (53, 199), (16, 29)
NEWEST = 450
"""Numbers above are calls that this table does not know: refused as an older kernel would, so that glibc falls back."""
