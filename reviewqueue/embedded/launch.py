"""Become a server or a child of `make run`: own session, right user, tied to the parent.

Run by file name in a bare interpreter (`python -I -S launch.py PLAN COMMAND...`): standard library only.
"""

import ctypes
import json
import os
import signal
import sys
from pathlib import Path

CLONE_NEWUSER = 0x10000000
PR_SET_PDEATHSIG = 1
MAPPED_ID = 1000


def call(function: str, *arguments: int) -> None:
    """Call a C function that returns -1 and sets errno on failure."""
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, function)(*arguments) == -1:
        code = ctypes.get_errno()
        raise OSError(code, f"{function}: {os.strerror(code)}")


def enter_own_user_namespace() -> None:
    """Appear as an ordinary user to the program, while files keep their real owner."""
    uid, gid = os.geteuid(), os.getegid()
    call("unshare", CLONE_NEWUSER)
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{MAPPED_ID} {uid} 1")
    Path("/proc/self/gid_map").write_text(f"{MAPPED_ID} {gid} 1")


def become(uid: int, gid: int) -> None:
    """Give up root for good."""
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)


def die_with(parent: int, death_signal: int) -> None:
    """Ask the kernel for a signal when the parent ends; a parent that is gone already means there is nothing to start.

    This comes after every change of user, since such a change clears the request.
    """
    call("prctl", PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit("The parent process ended before its child could start.")


def main(plan_text: str, command: list[str]) -> None:
    """Carry out the plan, then turn into the command."""
    plan = json.loads(plan_text)
    os.chdir(plan["cwd"])
    if plan["own_session"]:
        os.setsid()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    if plan["mapped"]:
        enter_own_user_namespace()
    if plan["user"] is not None:
        become(*plan["user"])
    if plan["parent"] is not None:
        die_with(plan["parent"], plan["death_signal"])
    os.execvp(command[0], command)  # noqa: S606 (turning into a given program is this file's purpose)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
