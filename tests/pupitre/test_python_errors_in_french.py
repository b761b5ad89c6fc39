"""Python's own errors, raised for real, explained in French with the diagnostic's code."""

from __future__ import annotations

import signal
import time

import pytest

from pupitre import explain
from pupitre.calls import call
from pupitre.explanations import diagnose

ERRORS = [
    ("a + b = 6", "E01", "Pour comparer"),
    ("if a = 3:\n    pass", "E01", "`==`"),
    ("L = [1,5 ; 2,5]", "E05", "virgules"),
    ("2.5 ^ 2", "E06", "`**`"),
    ("def f(x)\n    return x", "E09", "manque"),
    ("def f(x):\nreturn x", "E09", "quatre espaces"),
    ("x = 1\n  y = 2", "E09", "décalée"),
    ("print((1 + 2)", "E09", "pas refermé"),
    ("print('a)", "E09", "guillemet"),
    ("1/2m", "", "`*`"),
    ("x = 3 × 2", "", "caractère"),
    ("return 3", "", "`return`"),
    ("print(inconnu)", "E21", "`inconnu`"),
    ("def f():\n    x = x + 1\nf()", "E21", "avant"),
    ("print(3) + 1", "E07", "`None`"),
    ("(0, 34) * 2.5", "E04", "`0.34`"),
    ("[1, 2] / 1000", "E26", "élément par élément"),
    ("L = [1, 2]\nk = L * 0.001", "E26", "élément par élément"),
    ("def f(L):\n    return L * 0.001\nf([1, 2])", "E26", "élément par élément"),
    ("V = 0,34\nn = V * 2.5", "E04", "`0.34`"),
    ("L = []\nL.append[3]", "E12", "parenthèses"),
    ("L = []\nL = L.append(3)\nL = L.append(4)", "E12", "sur place"),
    ("L = []\nL.append = 3", "E12", "sur place"),
    ("(lambda x: x)(1, 2)", "", "paramètres"),
    ("3 (4)", "", "`*`"),
    ("range(2.5)", "E10", "entier"),
    ("'3' + 4", "", "texte"),
    ("1 / 0", "", "zéro"),
    ("[1, 2][2]", "E11", "n − 1"),
    ("def f(n):\n    return f(n)\nf(1)", "E16", "sans fin"),
    ("import math\nmath.cosinus(1)", "", "`cosinus`"),
    ("import nimporte_quoi", "", "`nimporte_quoi`"),
    ("import math\nmath.sqrt(-1)", "", "domaine"),
    ("float('0,34')", "E04", "point"),
    ("a, b = 1, 2, 3", "", "gauche"),
    ("2.0 ** 10000", "", "trop grand"),
    ("open('data/absent.csv')", "", "fichier"),
    ("raise NotImplementedError()", "E00", "réponse"),
    ("assert 1 == 2", "", "vérification"),
    ("{}['a']", "", "clé"),
    ("exit()", "", "exit"),
    ("while True: pass", "E16", "sans fin"),
]


@pytest.mark.parametrize(("code", "expected", "told"), ERRORS, ids=[error[0][:30] for error in ERRORS])
@pytest.mark.filterwarnings("ignore::SyntaxWarning")  # '3 (4)' is a beginner's mistake that Python warns about
def test_error_is_explained(code: str, expected: str, told: str) -> None:
    import builtins

    builtins.exit = getattr(builtins, "exit", lambda: (_ for _ in ()).throw(SystemExit()))
    error = call(lambda: exec(compile(code, "test", "exec"), {}), time_limit_s=0.3).error
    assert error is not None
    diagnosis = diagnose(error)
    assert diagnosis.code == expected, diagnosis
    assert told in diagnosis.message
    assert explain(error) == diagnosis.message


def test_error_class_of_the_learner_whose_text_fails() -> None:
    class Odd(ValueError):
        def __str__(self) -> str:
            raise RuntimeError

    assert "valeur" in explain(Odd())


def test_unknown_error_has_a_sentence() -> None:
    class Unknown(Exception):
        pass

    assert "Unknown" in explain(Unknown("x"))


def test_ctrl_c_goes_through() -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        call(interrupted)


def test_the_callers_own_time_limit_goes_on_counting() -> None:
    class CallersLimit(BaseException):
        pass

    def stop(*_: object) -> None:
        raise CallersLimit

    previous = signal.signal(signal.SIGALRM, stop)
    try:
        signal.setitimer(signal.ITIMER_REAL, 1.0)
        assert call(lambda: time.sleep(0.2), time_limit_s=0.5).error is None
        assert 0 < signal.getitimer(signal.ITIMER_REAL)[0] < 0.85
        assert signal.getsignal(signal.SIGALRM) is stop
        assert isinstance(call(lambda: time.sleep(2), time_limit_s=5).error, CallersLimit)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
