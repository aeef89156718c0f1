"""How a program runs that refuses root and users without an account, as PostgreSQL does.

Standard library only.
"""

import os
import pwd
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

# Any account but root's will do; this one is there on every system.
NOBODY = next((account.pw_uid for account in pwd.getpwall() if account.pw_name == "nobody"), 65534)


@dataclass(frozen=True)
class Way:
    """Words to put before a command, and the user who must own the files that it works on."""

    prefix: Sequence[str]
    owner: int

    def works(self, binary: Path, directory: Path) -> bool:
        """Whether `binary` starts this way and can write in `directory`, given to `owner`."""
        probe = ("sh", "-c", 'id -un && "$0" --version && cd "$1" && : >.probe && rm .probe')
        command = [*self.prefix, *probe, str(binary), str(directory)]
        try:
            for path in (directory, *directory.rglob("*")):
                if path.lstat().st_uid != self.owner:
                    os.chown(path, self.owner, self.owner, follow_symlinks=False)
            return subprocess.run(command, capture_output=True, check=False).returncode == 0
        except (FileNotFoundError, PermissionError):
            return False


AS_ONESELF = Way((), os.geteuid())
# A namespace in which one is somebody else: the files stay one's own.
IN_NAMESPACE = Way(
    ("unshare", "--user", f"--map-user={NOBODY}", f"--map-group={NOBODY}", "--"), os.geteuid()
)
# For root in a container that refuses namespaces: nobody, who passes closed directories like root.
AS_NOBODY = Way(
    (
        *("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"),
        *("--securebits=+no_setuid_fixup", "--inh-caps=+dac_override"),
        *("--ambient-caps=+dac_override", "--pdeathsig=INT", "--"),
    ),
    NOBODY,
)


def ways() -> Sequence[Way]:
    """The ways to try, best first, for the user that this process runs as."""
    return (IN_NAMESPACE, AS_NOBODY) if os.geteuid() == 0 else (AS_ONESELF, IN_NAMESPACE)


def unprivileged_prefix(binary: Path, directory: Path) -> Sequence[str] | None:
    """What to put before a command to run `binary` as an ordinary user; None when nothing works.

    `directory`, the command's own, is given to the user that the command will be.
    """
    return next((way.prefix for way in ways() if way.works(binary, directory)), None)
