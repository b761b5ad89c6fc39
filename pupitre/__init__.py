"""What a course's notebook may import: checks with units, hints. Light: no Django, nothing else of ours."""
