"""From exports to one row a call, every field a code; and the program's own inputs, gaps and
completeness.
"""
