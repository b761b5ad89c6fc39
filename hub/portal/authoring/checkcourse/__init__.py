"""The author's proof-reader, `pupitre checkcourse`: what a careful reader would find before learners do.

    findings.py    what was found: file, cell, what is wrong and what to do, as a value
    folder.py      a course folder as notebooks laid out as learners get them
    execution.py   each notebook run whole, with papermill, here or in a sandbox; audit.py what is watched meanwhile
    marks.py       solutions earn full marks, released copies nothing: the real marking engine
    figures.py     titles, quantities, units, alternative texts
    prose.py       the French of notebooks, quizzes and course.yml, without its code
    reading.py     links, numbers, units, spaces; spelling.py French words
    check.py       all of it, several notebooks at once

Law: it reads the course folder and writes nothing in it. Findings are French: they are for the course's author.
"""
