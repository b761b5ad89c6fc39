"""Builds the Open Badges 3.0 document of an award, unsigned; pure: values in, JSON out.

Sources: Open Badges 3.0 (1EdTech), Verifiable Credentials Data Model 2.0 (W3C).
Laws: the two first contexts exact and in order; nothing null, no empty array; one `credentialStatus` object (the official
schema refuses an array); dates in UTC with `Z`; every property is in a pinned context, or the proof refuses to sign it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from badges.contexts import CREDENTIALS_V2, OPEN_BADGES_EXTENSIONS, OPEN_BADGES_V3

CONTEXTS = [CREDENTIALS_V2, OPEN_BADGES_V3, OPEN_BADGES_EXTENSIONS]
SCHEMA = "https://purl.imsglobal.org/spec/ob/v3p0/schema/json/ob_v3p0_achievementcredential_schema.json"


@dataclass(frozen=True)
class Alignment:
    """A capacity of an official programme that the badge attests."""

    code: str
    """As in the programme's table: `MA2-fonction`."""
    name: str
    """In words: a code alone means nothing to a reader."""
    framework: str
    """The programme, in words."""
    url: str
    """Where the capacity can be read."""

    def as_json(self) -> dict[str, Any]:
        document = {"type": ["Alignment"], "targetCode": self.code, "targetName": self.name, "targetUrl": self.url}
        return document | ({"targetFramework": self.framework} if self.framework else {})


@dataclass(frozen=True)
class Achievement:
    """What a badge promises: written in a course's `course.yml`."""

    key: str
    """`<course>/<badge>`: a person receives it once."""
    course: str
    version: str
    title: str
    description: str
    criteria: str
    image_svg: bytes
    hours: float
    """Planned duration, h."""
    course_title: str = ""
    """Empty: the badge is named like its course."""
    kind: str = "Course"
    """One of Open Badges' achievement types: "Course" when the whole course earns it, "Badge" for another criterion."""
    language: str = "fr"
    alignment: Sequence[Alignment] = ()


@dataclass(frozen=True)
class Result:
    """What a person obtained in one module."""

    module: str
    title: str
    points: float
    max_points: float


@dataclass(frozen=True)
class Profile:
    """The organisation that issues."""

    id: str
    name: str
    url: str
    email: str
    details: Mapping[str, Any] = field(default_factory=dict, hash=False)
    """Other members of an Open Badges 3.0 profile, ready to be signed (`profile.py`): address, endorsements…"""

    def as_json(self) -> dict[str, Any]:
        """Everything that is known, for the `issuer` of a credential."""
        return self.as_reference() | ({"email": self.email} if self.email else {}) | dict(self.details)

    def as_reference(self) -> dict[str, Any]:
        """Who it is, where the whole profile stands elsewhere in the document."""
        return {"id": self.id, "type": ["Profile"], "name": self.name, "url": self.url}


@dataclass(frozen=True)
class Particulars:
    """What one award adds to its achievement."""

    id: str
    """Address of the award's page."""
    subject_id: str
    """`urn:uuid:…`, drawn for this award: it links to nothing else."""
    recipient_name: str
    session: str
    issued_at: datetime
    started_at: datetime | None
    results: Sequence[Result]
    evidence: Sequence[str]
    """Addresses, or digests of the attempts that earned it."""
    status_list: str
    status_index: int


def make_credential(issuer: Profile, achievement: Achievement, badge_url: str, award: Particulars) -> dict[str, Any]:
    """The credential to sign. `badge_url` is the address of the badge's definition, without a final slash."""
    subject: dict[str, Any] = {
        "id": award.subject_id,
        "type": ["AchievementSubject"],
        "identifier": [
            {
                "type": "IdentityObject",
                "identityType": "name",
                "identityHash": award.recipient_name,
                "hashed": False,
            }
        ],
        "activityEndDate": format_date(award.issued_at),
        "achievement": make_achievement(issuer, achievement, badge_url, award.results),
    }
    if award.started_at is not None:
        subject["activityStartDate"] = format_date(award.started_at)
    if award.session:
        subject["term"] = award.session
    if award.results:
        subject["result"] = [
            {
                "type": ["Result"],
                "resultDescription": _result_id(badge_url, result),
                "value": format_number(result.points),
            }
            for result in award.results
        ]
    credential: dict[str, Any] = {
        "@context": CONTEXTS,
        "id": award.id,
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "name": achievement.title,
        "description": achievement.description or achievement.title,
        "issuer": issuer.as_json(),
        "validFrom": format_date(award.issued_at),
        "awardedDate": format_date(award.issued_at),
        "credentialSubject": subject,
        "credentialStatus": {
            "id": f"{award.status_list}#{award.status_index}",
            "type": "BitstringStatusListEntry",
            "statusPurpose": "revocation",
            "statusListIndex": str(award.status_index),
            "statusListCredential": award.status_list,
        },
        "credentialSchema": [{"id": SCHEMA, "type": "1EdTechJsonSchemaValidator2019"}],
    }
    if award.evidence:
        credential["evidence"] = [_make_evidence(achievement, trace) for trace in award.evidence]
    return credential


def without_marks(credential: dict[str, Any]) -> dict[str, Any]:
    """The same credential for who does not show their marks: each module done says so, and no more; unsigned.

    Its identifier stays: for a wallet it is the same award, in a newer form (Open Badges 3.0, "credential equality").
    """
    subject = dict(credential["credentialSubject"])
    achievement = dict(subject["achievement"])
    if "result" in subject:
        done = [
            {"type": ["Result"], "resultDescription": r["resultDescription"], "status": "Completed"}
            for r in subject.pop("result")
            if float(r["value"]) > 0
        ]
        if done:
            subject["result"] = done
        achievement["resultDescription"] = [
            {"id": d["id"], "type": d["type"], "name": d["name"], "resultType": "Status"}
            for d in achievement["resultDescription"]
        ]
    subject["achievement"] = achievement
    return {name: value for name, value in credential.items() if name != "proof"} | {"credentialSubject": subject}


def make_achievement(
    issuer: Profile, achievement: Achievement, badge_url: str, results: Sequence[Result] = ()
) -> dict[str, Any]:
    """The Achievement alone: also what the badge's own address answers."""
    document: dict[str, Any] = {
        "id": badge_url,
        "type": ["Achievement"],
        "achievementType": achievement.kind,
        "name": achievement.title,
        "description": achievement.description or achievement.title,
        "criteria": {"id": f"{badge_url}/", "narrative": achievement.criteria or achievement.title},
        "image": {"id": f"{badge_url}/image.png", "type": "Image", "caption": f"Badge « {achievement.title} »"},
        "creator": issuer.as_reference(),
        "inLanguage": achievement.language,
        "humanCode": achievement.key,
        "version": achievement.version,
    }
    if achievement.alignment:
        document["alignment"] = [alignment.as_json() for alignment in achievement.alignment]
    if results:
        document["resultDescription"] = [
            {
                "id": _result_id(badge_url, result),
                "type": ["ResultDescription"],
                "name": result.title,
                "resultType": "RawScore",
                "valueMin": "0",
                "valueMax": format_number(result.max_points),
            }
            for result in results
        ]
    return document


def format_date(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def format_number(value: float) -> str:
    """Points as text: at most two decimals, no useless zero."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def format_hours(hours: float) -> str:
    """A duration as text, to the minute: "1 h 50", "45 min"."""
    whole, minutes = divmod(round(hours * 60), 60)
    if not whole:
        return f"{minutes}\N{NO-BREAK SPACE}min"
    return f"{whole}\N{NO-BREAK SPACE}h" + (f"\N{NO-BREAK SPACE}{minutes:02d}" if minutes else "")


def _result_id(badge_url: str, result: Result) -> str:
    return f"{badge_url}#{quote(result.module, safe='')}"


def _make_evidence(achievement: Achievement, trace: str) -> dict[str, Any]:
    if trace.startswith(("https://", "http://", "urn:")):
        course = achievement.course_title or achievement.title
        name = f"Parcours « {course} », version {achievement.version}"
        return {"id": trace, "type": ["Evidence"], "name": name, "genre": "Parcours"}
    return {
        "type": ["Evidence"],
        "name": "Empreinte des essais retenus",
        "description": "SHA-256 des essais qui ont donné les résultats : l’émetteur peut prouver qu’ils sont restés les mêmes.",
        "narrative": trace,
        "genre": "Empreinte",
    }
