"""A local page for looking at drives: `server` answers it, `drive` reads logs for it, page.html and *.js are it."""
