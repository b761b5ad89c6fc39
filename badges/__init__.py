"""From a completed course to a proof that anyone can verify. Imports nothing of ours."""
