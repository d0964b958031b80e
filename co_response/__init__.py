"""The command `co-response`: both sides of the project behind one name.

`anonymize` makes and audits releases, `dashboard` shows them. Neither imports the other, and
neither imports this package, which only hands each command to the side that carries it out.
"""

__version__ = "0.2.0"
