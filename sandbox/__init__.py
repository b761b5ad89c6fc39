"""Isolated processes for learners' code. Imports nothing of ours; knows no course, no person, no database."""
