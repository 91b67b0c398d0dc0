"""Pages: text, tables and readings as HTML, in a terminal, and as files."""
