"""nbgrader's own commands on any nbgrader course directory, faster and safer: `pupitre autograde`, `release`, `feedback`.

    command.py     which command
    course.py      a course directory: nbgrader's application with its settings, who handed in what
    autograde.py   the command that marks: progress, summary
    pool.py        several submissions at once, each in a process that may die
    converter.py   nbgrader's Autograde, with our reading, repair and execution
    execute.py     nbgrader's Execute, in a process forked for the notebook
    gradebook.py   one connection instead of one per step
    validation.py  one validator instead of one per cell
    service.py     a forkd of its own, for the time of the command
    release.py     the command that prepares an assignment
    feedback.py    the command that writes what learners read
    pages.py       nbgrader's GenerateFeedback, with our page

Laws: format, gradebook and marks are nbgrader's, written by nbgrader's own code; learners' code runs in a sandbox and nowhere
else; one submission that goes wrong is a line of the summary and stops no other; nothing here knows Pupitre's portal.
"""
