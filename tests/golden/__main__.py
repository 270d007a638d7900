"""`python -m tests.golden` writes replies.txt anew; look at the difference before you commit it."""

from tests.golden.transcript import PATH, transcript

PATH.write_text(transcript(), encoding="utf-8")
