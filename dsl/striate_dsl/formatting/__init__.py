"""The rooms of the formatter: pieces of the text, breaks between them, lines, columns; `formatter.py` is the entry."""
