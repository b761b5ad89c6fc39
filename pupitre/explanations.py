"""Python's own errors, in French: what it means, where to look. The original text is never needed to go on.

`diagnose` gives the code of docs/reference/checks.md and the sentence; `explain` only the sentence.
Each rule is (code, pattern of Python's message, sentence); a sentence may use the pattern's groups. First match wins.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from pupitre.calls import TimeLimitReached

NOT_ANSWERED = "E00"


class Diagnosis(NamedTuple):
    code: str
    message: str


_Rules = list[tuple[str, str, str]]

_LIST_IS_NO_NUMBER = Diagnosis(
    "E26", "Une liste n’est pas un nombre : le calcul se fait élément par élément (compréhension, ou `np.array`)."
)

_SYNTAX: _Rules = [
    ("E01", r"cannot assign to (expression|comparison|literal|function call|attribute)|[Mm]aybe you meant '=='",
     "En Python, `=` range une valeur dans **un** nom, à gauche. Pour comparer, écrivez `==`."),
    ("E09", r"expected ':'", "Il manque « : » à la fin de la ligne (`def`, `if`, `else`, `for`, `while`)."),
    ("E09", r"expected an indented block", "Les lignes qui suivent « : » doivent être décalées de quatre espaces."),
    ("E09", r"unexpected indent", "Cette ligne est décalée vers la droite sans raison : alignez-la sur la précédente."),
    ("E09", r"unindent does not match|inconsistent use of tabs",
     "Les décalages ne sont pas alignés : utilisez toujours quatre espaces."),
    ("E09", r"was never closed", "Une parenthèse, un crochet ou une accolade n’est pas refermé."),
    ("E09", r"unmatched|does not match opening", "Une parenthèse ou un crochet de trop, ou du mauvais type."),
    ("E09", r"unterminated", "Un texte n’est pas refermé : il manque un guillemet."),
    ("", r"invalid decimal literal|invalid imaginary literal",
     "Un nombre est collé à un nom : la multiplication s’écrit toujours, avec `*` (`0.5 * m`)."),
    ("", r"'return' outside function", "`return` n’a de sens que dans une fonction : vérifiez le décalage de la ligne."),
    ("", r"leading zeros", "Un entier ne commence pas par 0 en Python."),
    ("", r"invalid character '(?P<char>.)'|invalid non-printable character",
     "Un caractère n’est pas admis en Python (espace insécable, guillemet « courbe », signe × ou ²) : retapez-le au clavier."),
    ("", r"non-default argument follows|parameter without a default follows",
     "Dans `def`, les paramètres avec une valeur par défaut viennent après les autres."),
    ("", r"forgot a comma", "Il manque peut-être une virgule, ou un signe `*`, entre deux éléments."),
]  # fmt: skip

_OTHERS: dict[str, _Rules] = {
    "NameError": [
        ("E21", r"local variable '(?P<name>\w+)'|cannot access local variable '(?P<name2>\w+)'",
         "Dans la fonction, un nom est utilisé avant d’avoir reçu une valeur : donnez-la lui avant."),
        ("E21", r"name '(?P<name>\w+)' is not defined",
         "Le nom `{name}` n’existe pas encore : la cellule qui le crée est-elle exécutée ? Minuscules et majuscules comptent."),
    ],
    "TypeError": [
        ("E06", r"for \^", "La puissance s’écrit `**` ; en Python, `^` est une autre opération."),
        ("E07", r"'NoneType'", "On calcule avec `None`, qui n’est rien : une fonction affiche-t-elle son résultat (`print`) sans le renvoyer (`return`) ?"),
        ("E04", r"(multiply sequence by non-int of type|unsupported operand.*'tuple')",
         "On calcule avec un couple ou une liste au lieu d’un nombre : `0,34` crée le couple (0, 34) ; le séparateur décimal est le point, `0.34`."),
        (_LIST_IS_NO_NUMBER.code, r"unsupported operand.*'list'|can only concatenate list", _LIST_IS_NO_NUMBER.message),
        ("E12", r"(builtin_function_or_method|method|function|type)' object is not subscriptable",
         "Une fonction s’appelle avec des parenthèses, pas des crochets."),
        ("", r"takes (no|\d+).* arguments? but|missing \d+ required|unexpected keyword",
         "La fonction n’a pas le nombre de paramètres attendu : relisez son en-tête (`def`)."),
        ("", r"'(?P<kind>int|float|str|list|tuple)' object is not callable",
         "Il manque un signe `*` devant une parenthèse, ou un nom de fonction a été réutilisé pour une valeur."),
        ("E10", r"'float' object cannot be interpreted as an integer",
         "Il faut un nombre entier ici (`range`, indices) : la division entière s’écrit `//`."),
        ("", r"'str'|concatenate str", "Un texte est mêlé à un nombre : convertissez-le avec `float(...)` ou `int(...)`."),
    ],
    "ZeroDivisionError": [("", r"", "Le calcul divise par zéro : quelle valeur peut s’annuler ?")],
    "IndexError": [("E11", r"", "Un indice dépasse la fin de la liste : n éléments portent les indices 0 à n − 1.")],
    "RecursionError": [("E16", r"", "La fonction s’appelle elle-même sans fin : quel cas l’arrête ?")],
    "KeyError": [("", r"", "Cette clé n’existe pas dans le dictionnaire.")],
    "AttributeError": [
        ("E12", r"'NoneType' object has no attribute 'append'|attribute 'append' is read-only",
         "`append` modifie la liste sur place et ne renvoie rien : `L.append(x)`, avec des parenthèses et sans `L = `."),
        ("", r"'module' object|module '(?P<module>\w+)' has no attribute '(?P<name>\w+)'",
         "La bibliothèque `{module}` n’a pas de fonction `{name}` : vérifiez l’orthographe."),
        ("E07", r"'NoneType'", "On utilise `None`, qui n’est rien : il manque peut-être un `return`."),
        ("", r"has no attribute '(?P<name>\w+)'", "Cet objet n’a pas d’attribut `{name}` : vérifiez l’orthographe."),
    ],
    "ModuleNotFoundError": [("", r"No module named '(?P<name>[\w.]+)'", "La bibliothèque `{name}` n’est pas installée ici : vérifiez son nom.")],
    "ImportError": [("", r"", "Ce nom n’existe pas dans la bibliothèque : vérifiez l’orthographe de l’importation.")],
    "ValueError": [
        ("", r"math domain error|expected a (nonnegative|positive) input",
         "Une fonction mathématique a reçu une valeur hors de son domaine (racine d’un négatif, logarithme de zéro)."),
        ("E04", r"could not convert string to float: '\d+,\d+'", "Dans un texte à convertir, le séparateur décimal est le point : \"0.34\"."),
        ("", r"unpack", "Le nombre de noms à gauche de `=` n’est pas celui des valeurs à droite."),
        ("", r"", "Une fonction a reçu une valeur qui ne lui convient pas."),
    ],
    "OverflowError": [("", r"", "Le nombre obtenu est trop grand : vérifiez les puissances et les unités.")],
    "BlockingIOError": [("", r"", "Le système refuse un processus ou un fil de plus : le programme en lance-t-il sans fin ?")],
    "MemoryError": [("", r"", "Le calcul demande trop de mémoire : une liste grandit-elle sans fin ?")],
    "FileNotFoundError": [("", r"", "Ce fichier n’existe pas : vérifiez son nom et son dossier (`data/…`).")],
    "NotImplementedError": [(NOT_ANSWERED, r"", "Cet exercice attend votre réponse : remplacez la ligne `raise NotImplementedError()` de la cellule par votre code.")],
    "StdinNotImplementedError": [("", r"", "`input()` n’est pas disponible ici : donnez la valeur par un paramètre.")],
    "EOFError": [("", r"", "`input()` n’est pas disponible ici : donnez la valeur par un paramètre.")],
    "SystemExit": [("", r"", "`exit()` arrête le programme : retirez cette ligne.")],
    "AssertionError": [("", r"", "Une vérification (`assert`) de votre code n’est pas satisfaite.")],
}  # fmt: skip


def explain(error: BaseException) -> str:
    """One French sentence about a Python error."""
    return diagnose(error).message


def diagnose(error: BaseException) -> Diagnosis:
    """The diagnostic code ("" if none) and the sentence of a Python error."""
    if isinstance(error, TimeLimitReached):
        return Diagnosis(
            "E16",
            "Boucle sans fin, ou beaucoup trop longue (arrêtée) : quelle variable de la condition change à chaque tour ?",
        )
    if isinstance(error, SyntaxError):
        return _diagnose_syntax(error)
    text = _text_of(error)
    for kind in type(error).__mro__:
        for code, pattern, sentence in _OTHERS.get(kind.__name__, []):
            if match := re.search(pattern, text):
                if code == "E04" and _computes_with_a_list(error):
                    return _LIST_IS_NO_NUMBER
                groups = {name: value or "" for name, value in match.groupdict().items()}
                return Diagnosis(code, sentence.format(**groups))
    return Diagnosis("", f"Python s’arrête sur une erreur `{type(error).__name__}`.")


def _diagnose_syntax(error: SyntaxError) -> Diagnosis:
    where = f"Ligne {error.lineno} : " if error.lineno else ""
    line = (error.text or "").strip()
    message = str(error.msg)
    if ";" in line and "[" in line:
        return Diagnosis(
            "E05", f"{where}séparez les éléments d’une liste par des virgules, et écrivez les décimaux avec un point."
        )
    for code, pattern, sentence in _SYNTAX:
        if re.search(pattern, message):
            return Diagnosis(code, where + _after_colon(sentence, where))
    return Diagnosis(
        "E09",
        f"{where}{_after_colon('Python ne comprend pas cette ligne ; regardez aussi la fin de la précédente.', where)}",
    )


def _after_colon(sentence: str, where: str) -> str:
    """Small letter after « Ligne 3 : », unless the first word is a name."""
    keeps = not where or sentence.startswith(("Python", "`"))
    return sentence if keeps else sentence[0].lower() + sentence[1:]


def _computes_with_a_list(error: BaseException) -> bool:
    """Python says « sequence » for a list as for a couple: the values of the line that failed tell which."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return False
    names = trace.tb_frame.f_code.co_names + trace.tb_frame.f_code.co_varnames
    values = {**trace.tb_frame.f_globals, **trace.tb_frame.f_locals}
    kinds = {type(values.get(name)) for name in names}
    return list in kinds and tuple not in kinds


def _text_of(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001  (an error class of the learner may itself fail; its type is enough)
        return ""
