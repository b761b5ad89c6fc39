"""What a child sees and may use, declared: one frozen object per kind of child.

A profile never names a person, a path of this machine or a command: those come from forkd's own command line.
The fourth profile of the design, *service* (Hub, proxy, portal and worker as an ordinary system user), is not started by
forkd: see `sandbox.service`.
"""

from __future__ import annotations

from dataclasses import dataclass

# A uid belongs to one home for ever (the Hub's table never reuses one), or to one live grading run.
GRADING_UIDS = range(100_000, 200_000)
LEARNER_UIDS = range(200_000, 2_000_000)


@dataclass(frozen=True)
class CpuShare:
    """Processor time of one sandbox, whatever the number of its processes; counted where a cgroup may be made."""

    weight: int
    """When processors are wanted by many: 100 is a learner's server."""
    cores: float | None
    """Never more than this many at once, even when all are idle; None: no cap."""


@dataclass(frozen=True)
class Profile:
    """One kind of child."""

    name: str
    keeps_home: bool
    """The home is the folder of that label under --homes-dir; otherwise an empty one in memory, gone with the child."""
    listens: bool
    """forkd binds `<servers-dir>/<label>.sock` before the fork and the child inherits it."""
    sees_doors: bool
    """The doors of Hub and portal are at /run/pupitre."""
    reaches_network: bool
    """The web, where forkd was told so (`sandbox.gateway`)."""
    ends_with_channel: bool
    """The child is killed when its caller closes the channel or dies."""
    tmp_bytes: int
    shm_bytes: int
    cpu: CpuShare


SERVER = Profile(
    name="server",
    keeps_home=True,
    listens=True,
    sees_doors=True,
    reaches_network=True,
    ends_with_channel=False,
    tmp_bytes=256 << 20,
    shm_bytes=64 << 20,
    cpu=CpuShare(weight=100, cores=2),
)
# A grader's formgrader: as a server, in its own home and under its own uid; what it may not do (kernels, terminals) is
# configuration of the Jupyter server, since the isolation is already that of one person.
REVIEW = Profile(
    name="review",
    keeps_home=True,
    listens=True,
    sees_doors=True,
    reaches_network=False,
    ends_with_channel=False,
    tmp_bytes=256 << 20,
    shm_bytes=16 << 20,
    cpu=CpuShare(weight=100, cores=1),
)
# No door at all: a marked notebook can talk to its caller, and to nobody else.
GRADING = Profile(
    name="grading",
    keeps_home=False,
    listens=False,
    sees_doors=False,
    reaches_network=False,
    ends_with_channel=True,
    tmp_bytes=64 << 20,
    shm_bytes=16 << 20,
    cpu=CpuShare(weight=50, cores=2),  # who waits for a page goes before what waits in a queue
)
# forkd's own, once per module at the start of its nursery: nobody's code, no door, and its answer is a list of names.
REHEARSAL = Profile(
    name="rehearsal",
    keeps_home=False,
    listens=False,
    sees_doors=False,
    reaches_network=False,
    ends_with_channel=True,
    tmp_bytes=64 << 20,
    shm_bytes=16 << 20,
    cpu=CpuShare(weight=50, cores=1),
)
PROFILES = {profile.name: profile for profile in (SERVER, REVIEW, GRADING)}
