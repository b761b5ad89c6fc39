"""nbgrader's own exchange tests (in its package), run with our exchange against a real portal's door.

67 tests: 38 pass, 29 do not apply and are listed here with the reason. Any change of either number fails.
"""

from __future__ import annotations

import getpass
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULES = ("submit", "fetch_assignment", "fetchfeedback", "list", "releaseassignment", "releasefeedback", "collect")
PASSED = 38
DIRECTORY = "looks into the exchange directory, which does not exist here"
IDENTITY = "gives another's name with --student; here the token says who submits"
NOT_APPLICABLE = {
    "submit::TestNbGraderSubmit": {
        "test_submit": DIRECTORY,
        "test_submit_readonly": DIRECTORY,
        "test_submit_multiple_courses": DIRECTORY,
        "test_submit_exclude": DIRECTORY,
        "test_submit_include": DIRECTORY,
        "test_submit_max_file_size": DIRECTORY,
    },
    "list::TestNbGraderList": {
        "test_list_inbound": DIRECTORY,
        "test_list_inbound_no_random_string": DIRECTORY,
        "test_list_remove_inbound": DIRECTORY,
        "test_list_without_random_string": DIRECTORY,
        "test_list_feedback_inbound": DIRECTORY,
        "test_list_feedback_cached": DIRECTORY,
    },
    "releaseassignment::TestNbGraderRelease": {
        "test_release": DIRECTORY,
        "test_release_deprecated": DIRECTORY,
        "test_force_release": DIRECTORY,
        "test_force_release_f": DIRECTORY,
        "test_release_with_assignment_flag": DIRECTORY,
        "test_no_exchange": DIRECTORY,
        "test_exchange_bad_perms": DIRECTORY,
        "test_permissions[False]": DIRECTORY,
        "test_permissions[True]": DIRECTORY,
    },
    "releasefeedback::TestNbGraderReleaseFeedback": {
        "test_single_file": DIRECTORY,
        "test_single_student": DIRECTORY,
        "test_student_id_exclude": DIRECTORY,
        "test_permissions[False]": DIRECTORY,
        "test_permissions[True]": DIRECTORY,
    },
    "collect::TestNbGraderCollect": {
        "test_owner_check": IDENTITY,
        "test_permissions[False]": DIRECTORY,
        "test_permissions[True]": DIRECTORY,
    },
}


@pytest.mark.soak  # more than a minute, and its list changes with nbgrader alone
def test_nbgraders_own_exchange_tests_pass_or_are_listed(tmp_path: Path) -> None:
    count = sum(map(len, NOT_APPLICABLE.values()))
    assert count == 29
    names = [f"{group.split('::')[1]} and {name}" for group, tests in NOT_APPLICABLE.items() for name in tests]
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "conftest.py").write_text(
        "LISTED = " + repr([tuple(name.split(" and ")) for name in names]) + "\n"
        "def pytest_collection_modifyitems(config, items):\n"
        "    out = [i for i in items if (i.cls.__name__ if i.cls else '', i.name) in LISTED]\n"
        "    items[:] = [i for i in items if i not in out]\n"
        "    config.hook.pytest_deselected(items=out)\n"
    )
    command = [sys.executable, "-m", "pytest", "-c", str(tmp_path / "pytest.ini"), "-q", "-W", "ignore", "--tb=short"]
    command += ["-p", "no:django", "-p", "no:cacheprovider", "-p", "tests.graders.nbgrader_exchange_world"]
    command += [
        "-p",
        "conftest",
        "--show-capture=no",
        "--pyargs",
        *(f"nbgrader.tests.apps.test_nbgrader_{m}" for m in MODULES),
    ]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PUPITRE_", "DJANGO_"))}
    environment |= {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",  # nbgrader runs `alembic`
        "PYTHONPATH": f"{ROOT}{os.pathsep}{tmp_path}",
        "USER": getpass.getuser(),
    }
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=600)
    summary = re.search(r"(\d+) passed, (\d+) deselected", done.stdout)
    if done.returncode or summary is None:
        pytest.fail(done.stdout[-6000:] + done.stderr[-2000:])
    assert (int(summary[1]), int(summary[2])) == (PASSED, count)
