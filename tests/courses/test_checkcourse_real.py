"""The real course has nothing to mend: every notebook run, every solution marked, every text read."""

from __future__ import annotations

from pathlib import Path

from hub.portal.authoring.checkcourse.check import check_course

ROOT = Path(__file__).resolve().parents[2]


def test_real_course_has_nothing_to_mend(course_folder: Path) -> None:
    report = check_course(course_folder, jobs=2, node_modules=ROOT / "node_modules")
    assert [str(finding) for finding in report.findings] == []
    assert report.unchecked == []
    assert report.points == {"auto": 76, "quiz": 16, "manual": 8, "total": 100}
    assert max(report.durations_s.values()) < 20
