"""nbgrader's own commands on any nbgrader course directory, many times faster: `pupitre autograde`.

    command.py    the command line, its progress, its summary
    pool.py       several submissions at once, each in a process that may die
    converter.py  nbgrader's Autograde, with our reading, repair and execution
    execute.py    nbgrader's Execute, in a process forked for the notebook
    gradebook.py  one connection instead of one per step
    service.py    a forkd of its own, for the time of the command

Laws: format, gradebook and marks are nbgrader's, written by nbgrader's own code; learners' code runs in a sandbox and nowhere
else; one submission that goes wrong is a line of the summary and stops no other; nothing here knows Pupitre's portal.
"""
