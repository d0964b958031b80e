"""Words: the reader's language, headings of columns, the glossary. Knows of nothing else."""
